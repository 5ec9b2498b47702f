"""Golden vectors of the presets that carry other projects' conventions: python test/peers.py (needs NumPy), then biome format.

Writes plugins/{grpo,cispo}/vectors/peers.json. Everything is plain float64 NumPy over padded arrays, from the projects' formulas and
not from this repository's code; each gradient is checked against central differences before it is written.
"""

import json
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent

# eps, divisor and lone (a group of one; None: the project gives NaN, so no case has one) make the advantage; bounds are ratios.
GRPO = {
    "grpo": dict(eps=1e-6, divisor="group", lone="zero", mean="sequence"),
    "grpo@paper": dict(eps=1e-6, divisor="group", lone="zero", mean="sequence", kl=0.04),
    "grpo@trl": dict(eps=1e-4, divisor="group", lone="zero", mean="token"),
    "grpo@verl": dict(eps=1e-6, divisor="group", lone="raw", mean="token", kl=0.001, dual=3.0),
    "grpo@skyrl": dict(eps=1e-6, divisor="group", lone="raw", mean="token", kl=0.001),
    "grpo@openrlhf": dict(eps=1e-9, divisor="group", lone=None, mean="token"),
    "grpo@prime-rl": dict(eps=0.0, divisor="none", lone="zero", mean="token"),
    "grpo@tinker": dict(eps=0.0, divisor="none", lone="zero", mean="sum", bounds=(0.0, np.inf)),
}
CISPO = {
    "cispo": dict(eps=1e-6, divisor="group", lone="zero", bounds=(0.0, 5.0)),
    "cispo@minimax": dict(eps=1e-6, divisor="group", lone="zero", bounds=(0.0, 5.0)),
    "cispo@trl": dict(eps=1e-4, divisor="group", lone="zero", bounds=(0.0, 5.0)),
    "cispo@verl": dict(eps=1e-6, divisor="group", lone="raw", bounds=(1 - 0.2, 1 + 0.2)),
    "cispo@scalerl": dict(eps=1e-6, divisor="batch", lone="zero", bounds=(0.0, 5.0)),
}


def advantages_of(rewards, group, eps, divisor, lone):
    out = np.zeros_like(rewards)
    for g in np.unique(group):
        rows = group == g
        if rows.sum() == 1:
            out[rows] = rewards[rows] / (1 + eps) if lone == "raw" else 0.0
            continue
        std = {"group": lambda: rewards[rows].std(ddof=1), "batch": lambda: rewards.std(ddof=1), "none": lambda: 1.0}[divisor]()
        out[rows] = (rewards[rows] - rewards[rows].mean()) / (std + eps)
    return out


def weights_of(mask, mean):
    """Weight of each token in the loss; an empty response counts in no mean."""
    if mean == "sum":
        return mask
    if mean == "token":
        return mask / mask.sum()
    lengths = mask.sum(axis=1, keepdims=True)
    return mask / np.maximum(lengths, 1) / (lengths > 0).sum()


def grpo_loss(logp, old, ref, adv, mask, c):
    """Loss and gradient of the clipped surrogate with k3 penalty."""
    low, high = c.get("bounds", (0.8, 1.2))
    ratio = np.exp(logp - old)
    plain, clipped = ratio * adv, np.clip(ratio, low, high) * adv
    token, slope = -np.minimum(plain, clipped), np.where(plain <= clipped, -plain, 0.0)
    if "dual" in c:
        beyond = (adv < 0) & (token > -c["dual"] * adv)
        token, slope = np.where(beyond, -c["dual"] * adv, token), np.where(beyond, 0.0, slope)
    d = ref - logp
    kl = c.get("kl", 0.0)
    w = weights_of(mask, c["mean"])
    return (w * (token + kl * (np.exp(d) - d - 1))).sum(), w * (slope + kl * (1 - np.exp(d)))


def cispo_loss(logp, old, adv, mask, c, weight=None):
    """Loss and gradient; the weight is a constant of the differentiation."""
    weight = np.clip(np.exp(logp - old), *c["bounds"]) if weight is None else weight
    w = weights_of(mask, "token")
    return (w * -weight * adv * logp).sum(), w * -weight * adv


def check_gradient(loss, logp, gradient, mask, h=1e-6):
    for i in zip(*np.nonzero(mask)):
        up, down = logp.copy(), logp.copy()
        up[i] += h
        down[i] -= h
        assert abs((loss(up) - loss(down)) / (2 * h) - gradient[i]) < 1e-7, i


def batches(lone):
    """Interleaved groups, ragged responses, a zero-variance group, ratios up to 9 and down to 1/4; the second batch is harder."""
    rng = np.random.default_rng(20240203)
    group = np.array([7, 3, 7, 3, 7, 3, 7, 9])
    for name, rewards, lengths in [
        ("ragged responses, a zero-variance group", [1, 0.5, 0, 0.5, 0, 0.5, 0.25, 2], [3, 2, 5, 1, 2, 4, 1, 3]),
        ("graded rewards, an empty response", [0.9, -1, 0.2, 1, 0.7, 0.3, -0.4, -1.5], [4, 1, 0, 3, 6, 2, 2, 2]),
    ]:
        mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(float)
        old = -rng.uniform(2.5, 5, mask.shape)
        ratio = np.exp(rng.normal(0, 0.35, mask.shape))
        ratio[0, :2], ratio[3, 0], ratio[4, 0], ratio[4, 1], ratio[6, 0] = (9, 0.25), 6, 4, 0.25, 7
        ratio[7, :2] = 1, 1.5
        rows = slice(None) if lone is not None else slice(0, 7)
        ref = old + rng.normal(0, 0.5, mask.shape)
        yield (
            name + (", a group of one" if lone is not None else ""),
            *(array[rows] for array in (np.array(rewards, float), group, mask, old + np.log(ratio), old, ref)),
        )


def ragged(array, mask):
    return [row[m > 0].tolist() for row, m in zip(array, mask)]


def case(preset, c):
    for name, rewards, group, mask, logp, old, ref in batches(c["lone"]):
        adv = advantages_of(rewards, group, c["eps"], c["divisor"], c["lone"])
        a = adv[:, None]
        inputs = dict(rewards=rewards.tolist(), group=group.tolist(), logp=ragged(logp, mask), oldLogp=ragged(old, mask))
        if preset in GRPO:
            loss, gradient = grpo_loss(logp, old, ref, a, mask, c)
            check_gradient(lambda x: grpo_loss(x, old, ref, a, mask, c)[0], logp, gradient, mask)
            inputs["refLogp"] = ragged(ref, mask)
        else:
            loss, gradient = cispo_loss(logp, old, a, mask, c)
            weight = np.clip(np.exp(logp - old), *c["bounds"])
            check_gradient(lambda x: cispo_loss(x, old, a, mask, c, weight)[0], logp, gradient, mask)
        expected = dict(advantages=adv.tolist(), loss=loss, gradLogp=ragged(gradient, mask))
        yield dict(name=f"{preset}: {name}", options=dict(preset=preset), inputs=inputs, expected=expected, tolerance=1e-12)


for paper, presets in [("grpo", GRPO), ("cispo", CISPO)]:
    cases = [x for preset, c in presets.items() for x in case(preset, c)]
    document = dict(paper=paper, component="algorithm", cases=cases)
    (ROOT / "plugins" / paper / "vectors" / "peers.json").write_text(json.dumps(document, indent=2) + "\n")
