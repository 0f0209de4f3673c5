"""What the report says, in English and Korean."""

from .words import Words

__all__ = ["NAMES", "TEXTS", "kernels_text", "share_text", "tiles_text"]

TEXTS = {
    "curves": Words("Learning curves", "학습 곡선"),
    "curves_text": Words(
        "Blue is how it did on the pictures it learned from, while it learned; orange on pictures it was never shown. "
        "Where blue goes on and orange does not, it learns by heart.",
        "파랑은 학습하는 동안 학습 그림에서 얻은 값, 주황은 한 번도 보지 못한 그림에서 얻은 값이다. 파랑만 나아지고 "
        "주황은 그대로이면 외우고 있는 것이다.",
    ),
    "numbers": Words("The numbers", "숫자로 보기"),
    "numbers_label": Words("Numbers of each epoch", "에포크별 숫자"),
    "confusion": Words("What it takes for what", "무엇을 무엇으로 아는가"),
    "confusion_text": Words(
        "Each row is a class; along it, what the model answered. Blue is right, orange wrong, and the stronger the "
        "colour, the more of the class.",
        "한 행이 한 클래스이고, 행을 따라 모델이 한 대답이 놓인다. 파랑은 맞은 것, 주황은 틀린 것이며, 색이 짙을수록 "
        "그 클래스에서 차지하는 몫이 크다.",
    ),
    "confusion_label": Words("Confusion matrix", "혼동 행렬"),
    "mistakes": Words("Most frequent mistakes", "가장 잦은 실수"),
    "taken_for": Words("taken for", "→"),
    "wrong": Words("Surest mistakes", "가장 확신한 실수"),
    "wrong_text": Words(
        "Wrong answers given with the highest probability. In bold what the picture is; blue marks that class in the "
        "answers.",
        "가장 높은 확률로 내놓은 틀린 대답들이다. 굵은 글씨가 그림의 정답이고, 대답 가운데 파란 것이 그 클래스이다.",
    ),
    "right": Words("Right answers", "맞은 대답"),
    "right_text": Words("The first right answer of each class.", "클래스마다 처음으로 맞은 대답."),
    "kernels": Words("What the first layer looks for", "첫 층이 찾는 것"),
    "kernels_label": Words("Kernels of the first layer", "첫 층의 커널"),
    "maps": Words("What the layers see", "층이 보는 것"),
    "maps_text": Words(
        "One test picture, and what each layer makes of it: a feature map for every kernel, each on its own scale.",
        "시험 그림 하나와, 각 층이 그것으로 만든 것. 커널마다 특징 맵이 하나씩 있고, 척도는 저마다 다르다.",
    ),
    "maps_label": Words("Feature maps of", "특징 맵:"),
    "where": Words("Where it looks", "어디를 보는가"),
    "where_text": Words(
        "The same picture in grey, and over it in blue what spoke for the answer, in orange what spoke against it.",
        "같은 그림을 회색으로 그리고, 대답을 뒷받침한 곳은 파랑, 거스른 곳은 주황으로 덧칠했다.",
    ),
    "model": Words("The model", "모델"),
    "layers_label": Words("Layers", "층"),
    "layer": Words("layer", "층"),
    "kind": Words("kind", "종류"),
    "output": Words("output", "출력"),
    "parameters": Words("parameters", "매개변수"),
    "all": Words("all", "합계"),
    "check": Words("Are its gradients right?", "기울기는 맞는가?"),
    "check_label": Words("Gradient check", "기울기 검사"),
    "checked": Words("checked", "검사한 것"),
    "difference": Words("relative difference", "상대 차이"),
    "verdict": Words("verdict", "판정"),
    "passed": Words("passed", "통과"),
    "failed": Words("failed", "실패"),
    "settings": Words("How it was made", "어떻게 만들었나"),
}
NAMES = {  # of what fit() counts, and of the two kinds of pictures
    "epoch": Words("epoch", "에포크"),
    "loss": Words("loss", "손실"),
    "val_loss": Words("test loss", "시험 손실"),
    "accuracy": Words("accuracy", "정확도"),
    "val_accuracy": Words("test accuracy", "시험 정확도"),
    "train": Words("train", "학습"),
    "test": Words("test", "시험"),
}


def kernels_text(shape: tuple[int, ...], shown: int) -> Words:
    """About the kernels (h, w, c, n) of the first layer, of which ``shown`` are drawn."""
    height, width, channels, count = shape
    some = Words(f", the first {shown} of them", f" 가운데 처음 {shown}개") if shown < count else Words("", "")
    if channels == 1:
        return Words(
            f"Its {count} kernels of {height} × {width} weights{some.en}. Blue weights are above zero, orange below; "
            f"the strongest colour is the largest weight of all.",
            f"가중치 {height} × {width}개로 된 커널 {count}개{some.ko}. 파란 가중치는 0보다 크고 주황은 작으며, 가장 "
            f"짙은 색이 전체에서 가장 큰 가중치이다.",
        )
    return Words(
        f"Its {count} kernels of {height} × {width} × {channels} weights{some.en}, as colours: what each would like to "
        f"see. Grey is zero.",
        f"가중치 {height} × {width} × {channels}개로 된 커널 {count}개{some.ko}를 색으로 나타냈다. 저마다 보고 싶어 "
        f"하는 것이며, 회색이 0이다.",
    )


def tiles_text(shape: tuple[int, ...], shown: int) -> Words:
    """How many feature maps (h, w, n) a layer has, of which ``shown`` are drawn."""
    height, width, count = shape
    some = Words(f", the first {shown} of them", f" 가운데 처음 {shown}개") if shown < count else Words("", "")
    return Words(f"{count} maps of {height} × {width}{some.en}", f"{height} × {width} 맵 {count}개{some.ko}")


def share_text(count: int, total: int) -> Words:
    """So many of all."""
    return Words(f"{count} of {total}", f"{total}개 중 {count}개")
