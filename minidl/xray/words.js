// Everything the page says, in English and Korean.
"use strict";
const WORDS = {
  en: {
    forward: "Forward", backward: "Backward", update: "Update", step: "step", loss: "Loss", parameters: n => `${n} parameters`,
    previous: "Previous step", next: "Next step", first: "First step", last: "Last step",
    expand: "Show its operations one by one", collapse: "Show the layer as one step", graph: "The net", 
    upstream: "Gradient from above", fused: "After the activation's derivative",
    local: "Local derivative", product: "Product: the gradient handed on", added: "Added up", rule: "The rule, as the engine has it",
    forwardSource: "The forward, as the engine has it", kernels: "Kernels", ran: "ran", refused: "refused", settings: "Settings",
    trace: "Where this number comes from", pick: "Click a number or a cell to see every term of it; numbers of inputs and weights can be changed there.", pickOnly: "Click a number or a cell to see every term of it.", more: "more terms, together",
    shown: "the engine has", computed: "this page has", missing: "This array is too large for the page: a coarse map of sizes, and the numbers around the largest.",
    frozen: "Frozen: no gradient flows here, and the optimizer leaves it as it is.", nothing: "This layer handed its input on unchanged.",
    noGradient: "No gradient came here.", penalty: "Penalty", lossBlock: "The loss", own: "The model's own operations", function: "Function",
    edited: "Edited. Every number that follows is computed by this page in float64.", reset: "Back to the engine's numbers",
    readOnly: "The page cannot recompute this operation; numbers below it keep the engine's values when you edit.",
    tooLarge: "This net is too large to be recomputed in the page, so its numbers cannot be edited.",
    outdated: "not recomputed after the edit", editHint: "Type another number and press Enter.", winner: "winner",
    mask: "Mask of this step", jacobian: "Jacobian of row",
    before: "before", after: "after", change: "change", keys: "← → step · Enter expands · Home/End · F B U phases · L language",
    clipped: "The gradient is clipped before the update.", decays: "The weight decays first.", constraint: "A constraint is applied afterwards.",
    language: "한국어",
    learningRate: "learning rate", sample: "sample", row: "row", channel: "channel", channelIn: "channel in", channelOut: "channel out", total: "Total loss",
    meanOf: n => `mean ${n}`,
    begins: "The walk begins here, with ∂L/∂L = 1.",
  },
  ko: {
    forward: "순전파", backward: "역전파", update: "갱신", step: "단계", loss: "손실", parameters: n => `매개변수 ${n}개`,
    previous: "이전 단계", next: "다음 단계", first: "처음", last: "마지막",
    expand: "연산을 하나씩 보기", collapse: "층을 한 단계로 보기", graph: "신경망", 
    upstream: "위에서 온 기울기", fused: "활성화 함수의 미분을 곱한 뒤",
    local: "국소 미분", product: "곱: 아래로 넘기는 기울기", added: "모두 더하기", rule: "엔진에 적힌 규칙 그대로",
    forwardSource: "엔진에 적힌 순방향 그대로", kernels: "커널", ran: "실행", refused: "거절", settings: "설정",
    trace: "이 수는 어디서 왔나", pick: "수나 칸을 누르면 그 수를 이루는 모든 항이 보인다. 입력과 가중치는 그 자리에서 바꿀 수 있다.", pickOnly: "수나 칸을 누르면 그 수를 이루는 모든 항이 보인다.", more: "개 항이 더 있고 그 합은",
    shown: "엔진의 값", computed: "이 페이지의 값", missing: "배열이 너무 커서 거친 지도와 가장 큰 값 둘레의 수만 담았다.",
    frozen: "동결됨: 기울기가 흐르지 않고 옵티마이저도 바꾸지 않는다.", nothing: "이 층은 입력을 그대로 넘겼다.",
    noGradient: "여기에는 기울기가 오지 않았다.", penalty: "규제항", lossBlock: "손실", own: "모델 자신의 연산", function: "함수",
    edited: "값을 바꾸었다. 뒤따르는 모든 수는 이 페이지가 float64로 다시 계산한 것이다.", reset: "엔진의 값으로 되돌리기",
    readOnly: "이 연산은 페이지에서 다시 계산할 수 없어, 값을 바꾸어도 그 아래의 수는 엔진의 값 그대로다.",
    tooLarge: "신경망이 커서 페이지에서 다시 계산하지 않으므로 값을 바꿀 수 없다.",
    outdated: "바꾼 뒤 다시 계산되지 않음", editHint: "새 값을 적고 Enter를 누른다.", winner: "승자",
    mask: "이번 단계의 마스크", jacobian: "야코비 행렬, 행",
    before: "(갱신 전)", after: "(갱신 후)", change: "변화", keys: "← → 단계 · Enter 펼치기 · Home/End · F B U 구간 · L 언어",
    clipped: "갱신 전에 기울기를 자른다.", decays: "먼저 가중치를 조금 줄인다.", constraint: "그 뒤 제약을 적용한다.",
    language: "English",
    learningRate: "학습률", sample: "표본", row: "행", channel: "채널", channelIn: "입력 채널", channelOut: "출력 채널", total: "손실의 합",
    meanOf: n => `${n}의 평균`,
    begins: "역전파는 여기서 ∂L/∂L = 1로 시작한다.",
  },
};
let language = PAGE_LANGUAGE();
function PAGE_LANGUAGE() { return document.documentElement.lang === "ko" ? "ko" : "en"; }
const say = key => WORDS[language][key];
const both = about => about[language] || about.en;
