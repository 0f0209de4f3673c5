"""ONNX files of minidl predict what Keras' own models do."""

import numpy as np
import onnxruntime
import pytest

from minidl.saving.onnx.export import proto_of
from tests.parity.oracle import both, close, copy_weights
from tests.saving.more_nets import MORE
from tests.saving.nets import inputs_of, leaves

pytestmark = pytest.mark.oracle


def predicted_by(proto, x):
    """The outputs of a graph, in a row."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return session.run(None, dict(zip(names, leaves(x), strict=True)))


@pytest.mark.parametrize("net", MORE)
def test_as_keras_predicts(net):
    theirs, ours = both(MORE[net])
    x = inputs_of(theirs)
    if not ours.built:
        ours.predict(x, verbose=0)
        theirs.predict(x, verbose=0)
    rng = np.random.default_rng(0)
    theirs.set_weights([np.asarray(w) + rng.uniform(0, 0.3, w.shape).astype(w.dtype) for w in theirs.weights])
    copy_weights(theirs, ours)
    wanted = leaves(theirs.predict(x, verbose=0))
    for number, (a, b) in enumerate(zip(predicted_by(proto_of(ours), x), wanted, strict=True)):
        close(a, b, f"output {number}", 1e-5)
