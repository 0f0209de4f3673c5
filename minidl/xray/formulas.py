"""The formulas of ``describe.py`` that hold words, in Korean."""

__all__ = ["in_both"]

_KOREAN = {
    "each gets its own piece of g": "각 입력은 g에서 자기 몫을 받는다",
    "y = a where the condition holds, else b": "y = 조건이 참이면 a, 아니면 b",
    "y = a, b, … in a row": "y = a, b, …를 차례로 이은 것",
    "y = max of the window": "y = 창의 최댓값",
    "y = mean of the window": "y = 창의 평균",
    "y = x, axes in another order": "y = x (축의 순서만 바뀜)",
    "y = x where x ≥ 0, else a · x": "y = x (x ≥ 0일 때), 아니면 a · x",
    "y = x, in another dtype": "y = x (자료형만 바뀜)",
    "y = x, in another shape": "y = x (모양만 바뀜)",
    "∂L/∂W[u,v,c,k] = Σ over places: x · g": "∂L/∂W[u,v,c,k] = Σ x · g (모든 자리에 대해)",
    "∂L/∂a = g there": "∂L/∂a = 그 자리에서 g",
    "∂L/∂x = g where x ≥ 0, else a · g": "∂L/∂x = g (x ≥ 0일 때), 아니면 a · g",
    "∂L/∂a = g where a is larger": "∂L/∂a = a가 더 큰 곳에서 g",
    "∂L/∂a = g where a is smaller": "∂L/∂a = a가 더 작은 곳에서 g",
    "∂L/∂b = g elsewhere": "∂L/∂b = 나머지 자리에서 g",
    "∂L/∂b = g where b is larger": "∂L/∂b = b가 더 큰 곳에서 g",
    "∂L/∂b = g where b is smaller": "∂L/∂b = b가 더 작은 곳에서 g",
    "∂L/∂b = Σ g over the batch": "∂L/∂b = Σ g (배치 전체에 대해)",
    "∂L/∂b = Σ of g where y > 0, over all places": "∂L/∂b = Σ g (y > 0인 모든 자리에 대해)",
    "∂L/∂x = g / n, for every term": "∂L/∂x = 모든 항에 g / n",
    "∂L/∂x = g inside the limits, else 0": "∂L/∂x = 한계 안에서 g, 밖에서 0",
    "∂L/∂x = g where y > 0, else 0": "∂L/∂x = y > 0이면 g, 아니면 0",
    "∂L/∂x = g · m / (1 − rate), the same mask m": "∂L/∂x = g · m / (1 − rate) (같은 마스크 m)",
    "∂L/∂x = g, for every term": "∂L/∂x = 모든 항에 g",
    "∂L/∂x = g, in x's shape": "∂L/∂x = g (x의 모양으로)",
    "∂L/∂x = g, the axes back": "∂L/∂x = g (축을 되돌려서)",
    "∂L/∂x = y · (g − Σ g·y); Jacobian Jᵢⱼ = yᵢ(δᵢⱼ − yⱼ)": "∂L/∂x = y · (g − Σ g·y), 야코비 행렬 Jᵢⱼ = yᵢ(δᵢⱼ − yⱼ)",
    "∂L/∂x = γ/√(σ²+ε) · (g − mean g − x̂ · mean(g·x̂))": "∂L/∂x = γ/√(σ²+ε) · (g − g의 평균 − x̂ · (g·x̂의 평균))",
    "∂L/∂x[p] = Σ g / (cells of the window)": "∂L/∂x[p] = Σ g / (창의 칸 수)",
    "∂L/∂x[p] = Σ g of the windows that p won": "∂L/∂x[p] = Σ g (p가 이긴 창에 대해)",
    "∂L/∂x[p] = Σ over windows that see p: g · W": "∂L/∂x[p] = Σ g · W (p를 보는 창에 대해)",
}


def in_both(formula: str) -> dict[str, str]:
    """The formula by language; of one that is the same in both, English alone."""
    korean = _KOREAN.get(formula)
    return {"en": formula} if korean is None else {"en": formula, "ko": korean}
