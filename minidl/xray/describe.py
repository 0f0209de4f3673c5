"""What the page says of an op: its formula, the formula of each rule, and a sentence in English and Korean."""

from typing import Any, NamedTuple

__all__ = ["About", "about"]


class About(NamedTuple):
    """Formulas as the page shows them (``g`` is the gradient that comes from above), and what the op does."""

    formula: str
    rules: dict[str, str]
    en: str
    ko: str


_SLIDING = {"x": "∂L/∂x[p] = Σ over windows that see p: g · W", "kernel": "∂L/∂W[u,v,c,k] = Σ over places: x · g"}
_WITH_BIAS = {**_SLIDING, "bias": "∂L/∂b[k] = Σ g[n,i,j,k]"}

_KNOWN: dict[str, About] = {
    "dense": About(
        "y = f(x·W + b)", {"x": "∂L/∂x = g·Wᵀ", "kernel": "∂L/∂W = xᵀ·g", "bias": "∂L/∂b = Σ g over the batch"},
        "Each unit adds up all inputs times its weights, and its bias.",
        "각 유닛은 모든 입력에 가중치를 곱해 더하고 편향을 더한다."),
    "matrix_product": About(
        "y = A·B", {"x1": "∂L/∂A = g·Bᵀ", "x2": "∂L/∂B = Aᵀ·g"}, "A product of matrices.", "행렬의 곱이다."),
    "conv2d": About(
        "y[i,j,k] = Σ x[i·s+u, j·s+v, c] · W[u,v,c,k]", _SLIDING,
        "A small window of weights slides over the picture; each place gives a sum of products.",
        "작은 가중치 창이 그림 위를 미끄러지며 자리마다 곱의 합을 낸다."),
    "conv2d_bias": About(
        "y[i,j,k] = Σ x[i·s+u, j·s+v, c] · W[u,v,c,k] + b[k]", _WITH_BIAS,
        "A small window of weights slides over the picture; each place gives a sum of products, and the bias.",
        "작은 가중치 창이 그림 위를 미끄러지며 자리마다 곱의 합에 편향을 더한다."),
    "conv2d_bias_relu": About(
        "y[i,j,k] = max(Σ x[i·s+u, j·s+v, c] · W[u,v,c,k] + b[k], 0)", _WITH_BIAS,
        "A window of weights slides over the picture: a sum of products and the bias at each place, at least 0.",
        "가중치 창이 그림 위를 미끄러지며 자리마다 곱의 합에 편향을 더하고, 음수는 0으로 만든다."),
    "bias_relu": About(
        "y = max(x + b, 0)",
        {"x": "∂L/∂x = g where y > 0, else 0", "bias": "∂L/∂b = Σ of g where y > 0, over all places"},
        "Adds the bias of each channel; what is negative becomes 0.", "채널마다 편향을 더하고 음수는 0으로 만든다."),
    "max_pool2d": About(
        "y = max of the window", {"x": "∂L/∂x[p] = Σ g of the windows that p won"},
        "Only the largest number of each window goes on, so only it gets a gradient.",
        "창마다 가장 큰 수만 지나가므로 기울기도 그 수만 받는다."),
    "average_pool2d": About(
        "y = mean of the window", {"x": "∂L/∂x[p] = Σ g / (cells of the window)"},
        "The mean of each window; the gradient is shared equally.", "창의 평균이며 기울기는 똑같이 나뉜다."),
    "masked_dropout": About(
        "y = x · m / (1 − rate)", {"x": "∂L/∂x = g · m / (1 − rate), the same mask m"},
        "Chance switches elements off for this step; the others are scaled up.",
        "이번 단계에서 일부 원소를 무작위로 끄고 나머지는 키운다."),
    "softmax_last": About(
        "yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ)", {"x": "∂L/∂x = y · (g − Σ g·y); Jacobian Jᵢⱼ = yᵢ(δᵢⱼ − yⱼ)"},
        "Numbers become probabilities that add up to 1.", "수들을 합이 1인 확률로 바꾼다."),
    "log_softmax_last": About(
        "y = x − log Σ exp(x)", {"x": "∂L/∂x = g − exp(y) · Σ g"},
        "The logarithms of softmax, without overflow.", "넘침 없이 소프트맥스의 로그를 구한다."),
    "probability_cross_entropy": About(
        "L = −log p, p = clip(x[label] / Σ x)", {"output": "∂L/∂x = g · (1/Σx − [label]/x[label])"},
        "How surprised the net is by the right label.", "정답이 모델에게 얼마나 뜻밖인지 잰다."),
    "softmax_cross_entropy": About(
        "L = −log softmax(x)[label]", {"logits": "∂L/∂x = g · (softmax(x) − one-hot)"},
        "Softmax and cross-entropy in one pass.", "소프트맥스와 교차 엔트로피를 한 번에 계산한다."),
    "batch_norm": About(
        "y = γ · (x − μ) / √(σ² + ε) + β",
        {"x": "∂L/∂x = γ/√(σ²+ε) · (g − mean g − x̂ · mean(g·x̂))", "gamma": "∂L/∂γ = Σ g · x̂", "beta": "∂L/∂β = Σ g"},
        "Each channel is shifted and scaled to mean 0 and variance 1 over the batch, then by γ and β.",
        "채널마다 배치의 평균 0, 분산 1로 맞춘 뒤 γ와 β로 다시 조정한다."),
    "scale_shift": About(
        "y = x · a + b", {"x": "∂L/∂x = g · a", "scale": "∂L/∂a = Σ g · x", "shift": "∂L/∂b = Σ g"},
        "Each channel times a factor, plus a shift.", "채널마다 곱하고 더한다."),
    "reshape": About(
        "y = x, in another shape", {"x": "∂L/∂x = g, in x's shape"},
        "The same numbers in another shape.", "수는 그대로이고 모양만 바뀐다."),
    "transpose": About("y = x, axes in another order", {"x": "∂L/∂x = g, the axes back"},
                       "The axes change places.", "축의 순서를 바꾼다."),
    "relu": About("y = max(x, 0)", {"x": "∂L/∂x = g where y > 0, else 0"},
                  "What is negative becomes 0.", "음수는 0이 된다."),
    "leaky_relu": About("y = x where x ≥ 0, else a · x", {"x": "∂L/∂x = g where x ≥ 0, else a · g"},
                        "What is negative is only scaled down.", "음수는 작아질 뿐 사라지지 않는다."),
    "sigmoid": About("y = 1 / (1 + exp(−x))", {"x": "∂L/∂x = g · y(1 − y)"},
                     "Squeezes numbers between 0 and 1.", "수를 0과 1 사이로 눌러 넣는다."),
    "tanh": About("y = tanh(x)", {"x": "∂L/∂x = g · (1 − y²)"},
                  "Squeezes numbers between −1 and 1.", "수를 −1과 1 사이로 눌러 넣는다."),
    "softplus": About("y = log(1 + exp(x))", {"x": "∂L/∂x = g · sigmoid(x)"},
                      "A smooth form of ReLU.", "ReLU를 매끄럽게 한 것이다."),
    "exp": About("y = exp(x)", {"x": "∂L/∂x = g · y"}, "The exponential.", "지수 함수."),
    "expm1": About("y = exp(x) − 1", {"x": "∂L/∂x = g · (y + 1)"}, "The exponential, less 1.", "지수 함수 빼기 1."),
    "erf": About("y = erf(x)", {"x": "∂L/∂x = g · 2/√π · exp(−x²)"}, "The error function.", "오차 함수."),
    "log": About("y = log(x)", {"x": "∂L/∂x = g / x"}, "The natural logarithm.", "자연로그."),
    "sqrt": About("y = √x", {"x": "∂L/∂x = g / (2y)"}, "The root.", "제곱근."),
    "square": About("y = x²", {"x": "∂L/∂x = g · 2x"}, "The square.", "제곱."),
    "abs": About("y = |x|", {"x": "∂L/∂x = g · sign(x)"}, "The size without the sign.", "절댓값."),
    "negative": About("y = −x", {"x": "∂L/∂x = −g"}, "The other sign.", "부호를 바꾼다."),
    "add": About("y = a + b", {"x1": "∂L/∂a = g", "x2": "∂L/∂b = g"},
                 "A sum hands the gradient on to both.", "합은 기울기를 양쪽에 그대로 넘긴다."),
    "subtract": About("y = a − b", {"x1": "∂L/∂a = g", "x2": "∂L/∂b = −g"}, "A difference.", "차."),
    "multiply": About("y = a · b", {"x1": "∂L/∂a = g · b", "x2": "∂L/∂b = g · a"},
                      "Of a product each factor gets the gradient times the other.", "곱에서는 상대 값이 곱해진다."),
    "divide": About("y = a / b", {"x1": "∂L/∂a = g / b", "x2": "∂L/∂b = −g · a / b²"}, "A quotient.", "나눗셈."),
    "power": About("y = aᵇ", {"x1": "∂L/∂a = g · b · aᵇ⁻¹", "x2": "∂L/∂b = g · y · log a"}, "A power.", "거듭제곱."),
    "clip": About("y = min(max(x, low), high)", {"x": "∂L/∂x = g inside the limits, else 0"},
                  "Keeps numbers between two limits.", "수를 두 한계 사이에 둔다."),
    "maximum": About("y = max(a, b)", {"x1": "∂L/∂a = g where a is larger", "x2": "∂L/∂b = g where b is larger"},
                     "The larger one.", "둘 중 큰 값."),
    "minimum": About("y = min(a, b)", {"x1": "∂L/∂a = g where a is smaller", "x2": "∂L/∂b = g where b is smaller"},
                     "The smaller one.", "둘 중 작은 값."),
    "where": About("y = a where the condition holds, else b", {"x1": "∂L/∂a = g there", "x2": "∂L/∂b = g elsewhere"},
                   "Chooses element by element.", "원소마다 고른다."),
    "sum": About("y = Σ x", {"x": "∂L/∂x = g, for every term"},
                 "Every term gets the gradient of the sum.", "모든 항이 합의 기울기를 받는다."),
    "mean": About("y = Σ x / n", {"x": "∂L/∂x = g / n, for every term"},
                  "Every term gets an equal share of the gradient.", "모든 항이 기울기를 똑같이 나눠 받는다."),
    "cast": About("y = x, in another dtype", {"x": "∂L/∂x = g"}, "Another dtype.", "자료형을 바꾼다."),
    "concatenate": About("y = a, b, … in a row", {"xs": "each gets its own piece of g"},
                         "Puts tensors one after another.", "텐서를 이어 붙인다."),
}  # fmt: skip


def about(op: Any) -> About:
    """Of an op; of one that is not in the table, the first line of its docstring."""
    known = _KNOWN.get(op.name)
    if known is not None:
        return known
    text = (op.__doc__ or op.name).strip().split("\n")[0]
    return About("", {}, text, text)
