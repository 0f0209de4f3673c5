"""The very text of the CUDA kernels, run on the processor against the plain loops, in three orders of the threads."""

import pytest

from tests.kernels.cuda_cases import BORDERS
from tests.kernels.shim import OURS, all_implementations, disagreement, harm_of_wrong_labels
from tests.shims import needs_compiler

pytestmark = needs_compiler

IMPLEMENTATIONS = all_implementations()


@pytest.mark.parametrize(("name", "implementation", "dtype"), IMPLEMENTATIONS)
def test_agrees_with_the_reference(name, implementation, dtype):
    assert disagreement(name, implementation, dtype) is None


def test_every_kernel_has_a_cuda_implementation_and_cases_at_the_borders():
    assert {name for name, *_ in IMPLEMENTATIONS} == set(OURS) == set(BORDERS)


def test_a_label_that_is_no_class_gives_a_loss_of_nan():
    assert harm_of_wrong_labels() is None
