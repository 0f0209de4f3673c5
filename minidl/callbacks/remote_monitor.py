"""RemoteMonitor: there on purpose as a name only."""

from .callback import Callback

__all__ = ["RemoteMonitor"]


class RemoteMonitor(Callback):
    """Refused: a training does not send its numbers to a server unasked, and no such server is maintained.

    Write ``LambdaCallback(on_epoch_end=...)`` with a request of your own, or use CSVLogger or TensorBoard.

    Raises:
        NotImplementedError: always.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        raise NotImplementedError(
            "RemoteMonitor is left out: minidl opens no network connections during a training. Send the logs yourself "
            "in LambdaCallback(on_epoch_end=lambda epoch, logs: ...), or use CSVLogger or TensorBoard"
        )
