"""What TensorBoard shows, written without TensorFlow, under the names of ``tf.summary``.

::

    writer = minidl.summary.create_file_writer("logs/run1")
    with writer.as_default():
        for step in range(100):
            minidl.summary.scalar("my_scalar", np.sin(step / 10), step=step)
"""

from .writer import FileWriter, create_file_writer, graph, histogram, image, scalar, text

__all__ = ["FileWriter", "create_file_writer", "graph", "histogram", "image", "scalar", "text"]
