"""The ops that the page computes itself; a test compares the list with the page's own table."""

__all__ = ["PAGE_OPS"]

PAGE_OPS = frozenset(
    """
    abs add average_pool2d batch_norm bias_relu broadcast_to cast clip concatenate conv2d conv2d_bias conv2d_bias_relu
    dense divide equal erf exp expand_dims expm1 greater greater_equal leaky_relu less less_equal log log1p
    log_softmax_last masked_dropout matrix_product max_pool2d maximum mean minimum multiply negative not_equal
    power probability_cross_entropy relu reshape scale_shift sigmoid softmax_cross_entropy softmax_last softplus
    sqrt square squeeze subtract sum tanh transpose where
    """.split()
)
