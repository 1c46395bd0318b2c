"""What the engine is held against: the same model in plain PyTorch, one thread.

Arguments: the model card, the samples of a step, the steps, and float64 or float32. Code paths are
pinned by the environment, if at all. The last line is an object with the parameters of the model and
the samples trained in a second.
"""

import json
import math
import sys
import time

import torch
from torch import nn

WARM_UP = 2  # Steps that do not count.


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class GlobalAvgPool(nn.Module):
    def forward(self, x):
        return x.mean(dim=(2, 3)) if x.dim() == 4 else x.mean(dim=1)


class PositionEmbedding(nn.Module):
    def __init__(self, positions, features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(positions, features) / math.sqrt(features))

    def forward(self, x):
        return x + self.weight


class SelfAttention(nn.Module):
    def __init__(self, positions, features, heads, causal):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(features, features, bias=False)
        self.key = nn.Linear(features, features, bias=False)
        self.value = nn.Linear(features, features, bias=False)
        self.output = nn.Linear(features, features)
        ahead = torch.full((positions, positions), -math.inf).triu(1)
        self.register_buffer("mask", ahead if causal else torch.zeros(positions, positions))

    def divided(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x):
        query, key, value = (self.divided(f(x)) for f in (self.query, self.key, self.value))
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        heads = torch.softmax(scores + self.mask, dim=-1) @ value
        return self.output(heads.transpose(1, 2).flatten(2))


def make(layer, x):
    """The layer of a model card that takes x, of which the first size is that of the batch."""
    kind, sizes = layer["kind"], x.shape[1:]
    if kind == "dense":
        return nn.Linear(sizes[-1], layer["units"], bias=layer["bias"])
    if kind == "conv2d":
        window = (layer["kernel"], layer["stride"], layer["padding"])
        return nn.Conv2d(sizes[0], layer["filters"], *window, bias=layer["bias"])
    if kind == "embedding":
        return nn.Embedding(layer["vocabulary"], layer["width"])
    if kind == "self_attention":
        return SelfAttention(*sizes, layer["heads"], layer["causal"])
    if kind == "residual":
        return Residual(*build(layer["layers"], x)[0])
    plain = {
        "max_pool2d": lambda: nn.MaxPool2d(layer["kernel"], layer["stride"]),
        "avg_pool2d": lambda: nn.AvgPool2d(layer["kernel"], layer["stride"]),
        "group_norm": lambda: nn.GroupNorm(layer["groups"], sizes[0]),
        "layer_norm": lambda: nn.LayerNorm(sizes[-1]),
        "position_embedding": lambda: PositionEmbedding(*sizes),
        "global_avg_pool": GlobalAvgPool,
        "relu": nn.ReLU,
        "gelu": lambda: nn.GELU(approximate="tanh"),
        "flatten": nn.Flatten,
    }
    return plain[kind]()


def build(layers, x):
    """These layers, one after another, and what they make of x."""
    built = []
    for layer in layers:
        module = make(layer, x)
        x = module(x)
        built.append(module)
    return nn.Sequential(*built), x


def main():
    torch.set_num_threads(1)
    card, batch, steps = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_default_dtype({"float64": torch.float64, "float32": torch.float32}[sys.argv[4]])
    torch.manual_seed(1)
    shape = (batch, *card["input"])
    vocabulary = card["layers"][0].get("vocabulary")
    x = torch.rand(shape) if vocabulary is None else torch.randint(vocabulary, shape)
    model, scores = build(card["layers"], x)
    y = torch.randint(scores.shape[-1], (batch,))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.001)
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            start = time.perf_counter()
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    seconds = time.perf_counter() - start
    parameters = sum(weight.numel() for weight in model.parameters())
    print(json.dumps({"parameters": parameters, "samples_per_second": batch * steps / seconds}))


main()
