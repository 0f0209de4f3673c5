"""Layers in the style of a course, in NumPy and mostly in loops; the slips that a backward can be asked for."""

import numpy as np


def sigmoid(x):
    return 0.5 * (1 + np.tanh(x / 2))


def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def ce_forward(x, labels):
    p = softmax(x)
    hot = np.zeros_like(p)
    hot[np.arange(len(x)), labels] = 1
    shifted = x - x.max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -np.sum(logs * hot) / len(x), (p, hot)


def conv_forward(x, w, b, stride, pad):
    xp = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    kh, kw = w.shape[:2]
    h, wd = (xp.shape[1] - kh) // stride + 1, (xp.shape[2] - kw) // stride + 1
    y, flat = np.zeros((len(x), h, wd, w.shape[3])), w.reshape(-1, w.shape[3])
    for i in range(h):
        for j in range(wd):
            window = xp[:, i * stride : i * stride + kh, j * stride : j * stride + kw]
            y[:, i, j] = window.reshape(len(x), -1) @ flat + b
    return y, (x, xp, w, stride, pad)


def conv_backward(g, cache, slip=""):
    x, xp, w, stride, pad = cache
    kh, kw = w.shape[:2]
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    kernel = w[::-1, ::-1] if slip == "dx flipped" else w.transpose(0, 1, 3, 2) if slip == "channels" else w
    for i in range(g.shape[1]):
        for j in range(g.shape[2]):
            s = 1 if slip == "dx stride" else stride
            rows, columns = slice(i * s, i * s + kh), slice(j * s, j * s + kw)
            piece = np.einsum("no,hwco->nhwc", g[:, i, j], kernel)
            if slip == "dx =":
                dxp[:, rows, columns] = piece
            else:
                dxp[:, rows, columns] += piece
            s = 1 if slip == "dw stride" else stride
            window = xp[:, i * s : i * s + kh, j * s : j * s + kw]
            part = np.einsum("nhwc,no->hwco", window, g[:, i, j])
            dw = part if slip == "dw =" else dw + part
    if slip == "dw flipped":
        dw = dw[::-1, ::-1]
    if slip == "dw mean":
        dw = dw / len(x)
    height, width = x.shape[1:3]
    dx = dxp[:, pad : pad + height, pad : pad + width]
    if slip == "uncropped":
        dx = dxp
    if slip == "crop end":
        dx = dxp[:, :height, :width]
    db = {"db batch": g.sum(0), "db mean": g.mean((0, 1, 2))}.get(slip, g.sum((0, 1, 2)))
    return (-dx if slip == "dx sign" else dx), dw, db


def im2col(x, kh, kw):
    n, c, h, w = x.shape
    rows = []
    for k in range(n):
        for i in range(h - kh + 1):
            for j in range(w - kw + 1):
                rows.append(x[k, :, i : i + kh, j : j + kw].ravel())
    return np.array(rows)


def maxpool_forward(x, size, stride):
    h, w = (x.shape[1] - size) // stride + 1, (x.shape[2] - size) // stride + 1
    y = np.zeros((len(x), h, w, x.shape[3]))
    for i in range(h):
        for j in range(w):
            y[:, i, j] = x[:, i * stride : i * stride + size, j * stride : j * stride + size].max(axis=(1, 2))
    return y, (x, size, stride)


def maxpool_backward(g, cache, slip=""):
    x, size, stride = cache
    dx = np.zeros_like(x)
    for n in range(len(x)):
        for i in range(g.shape[1]):
            for j in range(g.shape[2]):
                for c in range(x.shape[3]):
                    step = size if slip == "stride" else stride
                    window = x[n, i * stride : i * stride + size, j * stride : j * stride + size, c]
                    out = dx[n, i * step : i * step + size, j * step : j * step + size, c]
                    at = np.unravel_index(window.argmin() if slip == "min" else window.argmax(), window.shape)
                    if slip == "equal":
                        out += (window == window.max()) * g[n, i, j, c]
                    elif slip == "spread":
                        out += g[n, i, j, c] / size**2
                    elif slip == "first":
                        out[0, 0] += g[n, i, j, c]
                    elif slip == "channels":
                        every = x[n, i * stride : i * stride + size, j * stride : j * stride + size]
                        out += (window == every.max()) * g[n, i, j, c]
                    elif slip == "=":
                        out[at] = g[n, i, j, c]
                    elif slip == "split":
                        equal = window == window.max()
                        out += equal / equal.sum() * g[n, i, j, c]
                    elif at[0] < out.shape[0] and at[1] < out.shape[1]:
                        out[at] += g[n, i, j, c]
    return dx


def avgpool_forward(x, size, stride):
    h, w = (x.shape[1] - size) // stride + 1, (x.shape[2] - size) // stride + 1
    y = np.zeros((len(x), h, w, x.shape[3]))
    for i in range(h):
        for j in range(w):
            y[:, i, j] = x[:, i * stride : i * stride + size, j * stride : j * stride + size].mean(axis=(1, 2))
    return y, (x, size, stride)


def bn_forward(x, gamma, beta, eps=1e-5):
    std = np.sqrt(x.var(axis=0) + eps)
    xhat = (x - x.mean(axis=0)) / std
    return gamma * xhat + beta, (x, xhat, std, gamma)


def ln_forward(x, gamma, beta):
    std = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    xhat = (x - x.mean(axis=1, keepdims=True)) / std
    return gamma * xhat + beta, (xhat, std, gamma)
