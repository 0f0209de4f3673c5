"""A net of two layers learns XOR; the loop is written out, with a tape."""

import numpy as np

import minidl as keras

keras.utils.set_random_seed(3)
x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
y = np.array([[0], [1], [1], [0]], "float32")

model = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1, activation="sigmoid")]
)
loss_of = keras.losses.BinaryCrossentropy()
optimizer = keras.optimizers.Adam(learning_rate=0.1)

for step in range(201):
    with keras.GradientTape() as tape:
        loss = loss_of(y, model(x, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
    if step % 50 == 0:
        print(f"step {step:3d}   loss {loss.item():.4f}")

print(np.round(model.predict(x, verbose=0), 2).ravel())
assert ((model.predict(x, verbose=0) > 0.5) == y).all()
