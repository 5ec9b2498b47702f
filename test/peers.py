"""Golden vectors of the presets that carry other projects' conventions: python test/peers.py (needs NumPy), then biome format.

Writes plugins/{grpo,cispo}/vectors/peers.json. Everything is plain float64 NumPy over padded arrays, from the projects' formulas and
not from this repository's code; each gradient is checked against central differences before it is written.
"""

import json
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent

# Bounds of a log-ratio before it is exponentiated, nats, where a project has them.
CLAMP = 20.0
# eps, divisor and lone (a group of one; None: the project gives NaN, so no case has one) make the advantage; bounds are ratios.
GRPO = {
    "grpo": dict(eps=1e-6, divisor="group", lone="zero", mean="sequence"),
    "grpo@paper": dict(eps=1e-6, divisor="group", lone="zero", mean="sequence", kl=0.04),
    "grpo@trl": dict(eps=1e-4, divisor="group", lone="zero", mean="token"),
    "grpo@verl": dict(eps=1e-6, divisor="group", lone="raw", mean="token", kl=0.001, cap=10.0, dual=3.0, clamp=True),
    "grpo@skyrl": dict(eps=1e-6, divisor="group", lone="raw", mean="token", kl=0.001, cap=10.0, clamp=True),
    "grpo@openrlhf": dict(eps=1e-9, divisor="group", lone=None, mean="token", reward_kl=0.01, clamp=True),
    "grpo@prime-rl": dict(eps=0.0, divisor="none", lone="zero", mean="token", region=0.2, drift=1e-3),
    "grpo@tinker": dict(eps=0.0, divisor="none", lone="zero", mean="sum", bounds=(0.0, np.inf)),
}
CISPO = {
    "cispo": dict(eps=1e-6, divisor="group", lone="zero", bounds=(0.0, 5.0)),
    "cispo@minimax": dict(eps=1e-6, divisor="group", lone="zero", bounds=(0.0, 5.0)),
    "cispo@trl": dict(eps=1e-4, divisor="group", lone="zero", bounds=(0.0, 5.0)),
    "cispo@verl": dict(eps=1e-6, divisor="group", lone="raw", bounds=(1 - 0.2, 1 + 0.2)),
    "cispo@scalerl": dict(eps=1e-6, divisor="batch", lone="zero", bounds=(0.0, 5.0), mean="prompt"),
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


def weights_of(mask, group, mean):
    """Weight of each token in the loss; an empty response counts in no mean."""
    if mean == "sum":
        return mask
    if mean == "token":
        return mask / mask.sum()
    if mean == "prompt":
        prompts = [group == g for g in np.unique(group) if mask[group == g].sum() > 0]
        return sum(mask * rows[:, None] / mask[rows].sum() for rows in prompts) / len(prompts)
    lengths = mask.sum(axis=1, keepdims=True)
    return mask / np.maximum(lengths, 1) / (lengths > 0).sum()


def kl_in_reward(adv, old, ref, mask, coefficient):
    """The row's advantage less the weighted drift of a token and of those after it."""
    drift = np.clip(old - ref, -10, 10) * mask
    return adv - coefficient * np.cumsum(drift[:, ::-1], axis=1)[:, ::-1]


def clipped(logp, old, adv, c):
    """Clipped surrogate of each token and its derivative, with a dual clip where there is one."""
    low, high = c.get("bounds", (0.8, 1.2))
    difference = logp - old
    limit = CLAMP if c.get("clamp") else np.inf
    ratio, moves = np.exp(np.clip(difference, -limit, limit)), np.abs(difference) <= limit
    plain, bounded = ratio * adv, np.clip(ratio, low, high) * adv
    token, slope = -np.minimum(plain, bounded), np.where((plain <= bounded) & moves, -plain, 0.0)
    if "dual" in c:
        beyond = (adv < 0) & (token > -c["dual"] * adv)
        token, slope = np.where(beyond, -c["dual"] * adv, token), np.where(beyond, 0.0, slope)
    return token, slope


def masked(logp, old, adv, c):
    """Importance sampling of the tokens whose probability stayed in its region, and a squared drift of all of them."""
    ratio, rise = np.exp(logp - old), np.exp(logp) - np.exp(old)
    dropped = np.where(adv > 0, rise > c["region"], rise < -c["region"])
    surrogate = np.where(dropped, 0.0, -ratio * adv)
    return surrogate + c["drift"] * (logp - old) ** 2, surrogate + 2 * c["drift"] * (logp - old)


def grpo_loss(logp, old, ref, adv, mask, group, c):
    """Weighted loss of each token and its derivative."""
    token, slope = (masked if "region" in c else clipped)(logp, old, adv, c)
    d = ref - logp
    kl, cap = c.get("kl", 0.0), c.get("cap", np.inf)
    k3 = np.exp(d) - d - 1
    w = weights_of(mask, group, c["mean"])
    return w * (token + kl * np.minimum(k3, cap)), w * (slope + kl * np.where(k3 < cap, 1 - np.exp(d), 0.0))


def cispo_loss(logp, old, adv, mask, group, c, weight=None):
    """The same; the weight is a constant of the differentiation."""
    weight = np.clip(np.exp(logp - old), *c["bounds"]) if weight is None else weight
    w = weights_of(mask, group, c.get("mean", "token"))
    return w * -weight * adv * logp, w * -weight * adv


def check_gradient(loss, logp, gradient, mask, h=1e-6):
    """Each token by itself: a single one may be as large as exp(20)."""
    for i in zip(*np.nonzero(mask)):
        up, down = logp.copy(), logp.copy()
        up[i] += h
        down[i] -= h
        assert abs((loss(up)[i] - loss(down)[i]) / (2 * h) - gradient[i]) < 1e-7 * max(1, abs(gradient[i])), i


def batches(c):
    """Interleaved groups, ragged responses, a zero-variance group, ratios up to 9 and down to 1/4, probabilities that move by more
    than 0.2; the second batch is harder. Projects that clamp get a third one, which goes beyond what they clamp."""
    rng = np.random.default_rng(20240203)
    group = np.array([7, 3, 7, 3, 7, 3, 7, 9])
    ragged_rewards, ragged_lengths = [1, 0.5, 0, 0.5, 0, 0.5, 0.25, 2], [3, 2, 5, 1, 2, 4, 1, 3]
    for name, rewards, lengths in [
        ("ragged responses, a zero-variance group", ragged_rewards, ragged_lengths),
        ("graded rewards, an empty response", [0.9, -1, 0.2, 1, 0.7, 0.3, -0.4, -1.5], [4, 1, 0, 3, 6, 2, 2, 2]),
        ("log-ratios and drifts beyond the clamps", ragged_rewards, ragged_lengths),
    ]:
        mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(float)
        old = -rng.uniform(2.5, 5, mask.shape)
        ratio = np.exp(rng.normal(0, 0.35, mask.shape))
        ratio[0, :2], ratio[3, 0], ratio[4, 0], ratio[4, 1], ratio[6, 0] = (9, 0.25), 6, 4, 0.25, 7
        ratio[7, :2] = 1, 1.5
        logp = old + np.log(ratio)
        old[0, 2], logp[0, 2] = -1.2, -0.3
        old[4, 1], logp[4, 1] = -0.3, -1.2
        ref = old + rng.normal(0, 0.5, mask.shape)
        if "beyond" in name:
            if not c.get("clamp"):
                continue
            (old[0, 0], logp[0, 0]), (old[2, 0], logp[2, 0]), (old[2, 1], logp[2, 1]) = (-2, -27), (-27, -2), (-2, -27)
            ref[2, 0], ref[2, 2], ref[2, 3], ref[4, 0] = -16, old[2, 2] - 14, old[2, 3] + 2.4, logp[4, 0] + 3
        lone = c["lone"] is not None
        rows = slice(None) if lone else slice(0, 7)
        yield (
            name + (", a group of one" if lone else ""),
            *(array[rows] for array in (np.array(rewards, float), group, mask, logp, old, ref)),
        )


def ragged(array, mask):
    return [row[m > 0].tolist() for row, m in zip(array, mask)]


def case(preset, c):
    for name, rewards, group, mask, logp, old, ref in batches(c):
        adv = advantages_of(rewards, group, c["eps"], c["divisor"], c["lone"])
        a, shown = adv[:, None], adv.tolist()
        inputs = dict(rewards=rewards.tolist(), group=group.tolist(), logp=ragged(logp, mask), oldLogp=ragged(old, mask))
        if preset in GRPO:
            if "reward_kl" in c:
                a = kl_in_reward(a, old, ref, mask, c["reward_kl"])
                shown = ragged(a, mask)
            loss, gradient = grpo_loss(logp, old, ref, a, mask, group, c)
            check_gradient(lambda x: grpo_loss(x, old, ref, a, mask, group, c)[0], logp, gradient, mask)
            inputs["refLogp"] = ragged(ref, mask)
        else:
            loss, gradient = cispo_loss(logp, old, a, mask, group, c)
            weight = np.clip(np.exp(logp - old), *c["bounds"])
            check_gradient(lambda x: cispo_loss(x, old, a, mask, group, c, weight)[0], logp, gradient, mask)
        expected = dict(advantages=shown, loss=loss.sum(), gradLogp=ragged(gradient, mask))
        yield dict(name=f"{preset}: {name}", options=dict(preset=preset), inputs=inputs, expected=expected, tolerance=1e-12)


for paper, presets in [("grpo", GRPO), ("cispo", CISPO)]:
    cases = [x for preset, c in presets.items() for x in case(preset, c)]
    document = dict(paper=paper, component="algorithm", cases=cases)
    (ROOT / "plugins" / paper / "vectors" / "peers.json").write_text(json.dumps(document, indent=2) + "\n")
