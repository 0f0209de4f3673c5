"""The texts of the report, in English and Korean."""

import locale
import os

from .texts_causes import CAUSES

__all__ = ["CAUSES", "TEXTS", "cause_text", "chosen_language", "text"]

TEXTS: dict[str, tuple[str, str]] = {
    "right": (
        "{name}: right. {leaves} agree with central differences.",
        "{name}: 맞습니다. 중앙 차분과 일치합니다: {leaves}",
    ),
    "wrong": (
        "{name}: WRONG, the gradient of {leaves}{where}",
        "{name}: 틀렸습니다. {leaves}의 기울기가 맞지 않습니다{where}",
    ),
    "where_ties": (" (at inputs with ties and zeros)", " (0이나 같은 값이 있는 입력에서)"),
    "where_large": (" (at inputs as large as 1000)", " (1000 정도의 큰 입력에서)"),
    "where_state": (" (not at the first call)", " (두 번째 호출부터)"),
    "where_given": ("", ""),
    "scale": (
        "  {leaf}: best scale {alpha:.4g} leaves {residual:.2g}, cosine {cosine:.4f}",
        "  {leaf}: 가장 잘 맞는 배율 {alpha:.4g} (나머지 {residual:.2g}), 코사인 {cosine:.4f}",
    ),
    "shape": (
        "  {leaf}: has the shape {came}, expected {expected}",
        "  {leaf}: 나온 모양 {came}, 올바른 모양 {expected}",
    ),
    "none": ("  {leaf}: no gradient came", "  {leaf}: 기울기가 없습니다"),
    "element": (
        "    at {place}: analytic {a:.6g}, numeric {n:.6g}, noise {noise:.1g}",
        "    {place}: 해석적 {a:.6g}, 수치적 {n:.6g}, 잡음 {noise:.1g}",
    ),
    "pattern": (
        "  wrong where: {pattern}; smallest failing input: {smallest}",
        "  틀린 곳: {pattern}; 실패하는 가장 작은 입력: {smallest}",
    ),
    "cause": ("  cause ({percent}% sure): {cause}", "  원인(확신도 {percent}%): {cause}"),
    "unknown": (
        "  cause: unknown; no mistake on the list gives these numbers",
        "  원인: 알 수 없음. 알려진 실수 가운데 이 값을 만드는 것이 없습니다",
    ),
    "line": ("  read again: {file}:{line}: {code}", "  다시 읽어 볼 줄: {file}:{line}: {code}"),
    "all": ("everywhere", "모든 원소"),
    "sum_only": ("in the sum over tied elements", "같은 값을 가진 원소들의 합"),
    "axis": ("index {index} of axis {axis}", "축 {axis}의 {index}번"),
    "border": ("at the border", "가장자리"),
    "zero": ("where the analytic one is 0 ({count} of {total})", "해석적 값이 0인 곳 ({total}개 중 {count}개)"),
    "negative": ("where {leaf} < 0", "{leaf} < 0인 곳"),
    "positive": ("where {leaf} > 0", "{leaf} > 0인 곳"),
    "scattered": ("in {count} of {total} elements", "{total}개 중 {count}개 원소"),
    "optimizer_right": (
        "{name}: right. It follows {rule} for {steps} steps.",
        "{name}: 맞습니다. {steps}번 모두 {rule} 규칙대로 갱신합니다.",
    ),
    "optimizer_wrong": (
        "{name}: WRONG, it leaves {rule} at step {step}",
        "{name}: 틀렸습니다. {step}번째 갱신부터 {rule} 규칙과 다릅니다",
    ),
    "step": ("    {place}: came {a:.6g}, expected {n:.6g}", "    {place}: 나온 값 {a:.6g}, 기대한 값 {n:.6g}"),
}


def chosen_language(language: str | None) -> str:
    """ "en" or "ko"; None: what the locale says."""
    if language is None:
        name = next((os.environ[k] for k in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(k)), None)
        name = name or locale.getlocale()[0] or ""
        return "ko" if name.lower().startswith(("ko", "korean")) else "en"
    if language not in ("en", "ko"):
        raise ValueError(f"language must be 'en', 'ko' or None, not {language!r}")
    return language


def text(key: str, language: str, **values: object) -> str:
    """One line of the report."""
    return TEXTS[key][language == "ko"].format(**values)


def cause_text(cause: str, language: str) -> str:
    """The sentence about a cause."""
    return CAUSES[cause][language == "ko"]
