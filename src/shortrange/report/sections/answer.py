"""The question, the answer, the models, and what each measurement says."""

from __future__ import annotations

from collections.abc import Sequence

from shortrange.compare.rank import alone
from shortrange.compare.verdict import ModelResult, Verdict
from shortrange.report.markup import Markup, element, join, table
from shortrange.report.style import SIMULATED, model_color
from shortrange.report.text import OFFERED, fixed, headline, leading, misfit_name, percent, significant

__all__ = ["answer", "head", "models", "single_measurements", "warnings_list"]

_WORDS = {"supported": "Supported", "undecided": "Undecided", "none fits": "None fits"}


def head(title: str, sample: str, simulated: bool) -> Markup:
    """Ask the question."""
    kicker = [element("span", "shortrange report")]
    if simulated:
        kicker.append(element("span", SIMULATED, classes="badge"))
    return element(
        "header",
        element("div", *kicker, classes="kicker"),
        element("h1", title),
        element("p", sample, classes="sample"),
    )


def answer(verdict: Verdict) -> Markup:
    """Give the answer, and the odds as one bar."""
    return element(
        "section",
        element("div", _WORDS[verdict.verdict], classes="word"),
        element("p", headline(verdict), classes="answer"),
        element("p", _sentence(verdict.reason)),
        _odds_bar(verdict),
        element("p", OFFERED, classes="fine"),
        classes=f"verdict {verdict.verdict.replace(' ', '-')}",
    )


def _odds_bar(verdict: Verdict) -> Markup:
    """Draw the probabilities side by side; the text of the table says what is too small to see."""
    parts = [
        element(
            "i",
            style=f"width:{100 * model.probability:.2f}%;background:{model_color(index)}",
            title=f"{model.name}: {percent(model.probability)}",
        )
        for index, model in enumerate(verdict.models)
    ]
    names = [
        element(
            "span",
            element("b", style=f"background:{model_color(index)}"),
            f"{model.name} {percent(model.probability)}",
        )
        for index, model in enumerate(verdict.models)
    ]
    label = "; ".join(f"{model.name} {percent(model.probability)}" for model in verdict.models)
    bar = element("div", *parts, classes="odds", role="img", **{"aria-label": label})
    return join([bar, element("div", *names, classes="key")])


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def models(verdict: Verdict) -> Markup:
    """Tabulate probabilities, evidences and misfits."""
    # Odds between models that all misfit are not the chance that one of them is right.
    chance = "Probability, were one right" if verdict.verdict == "none fits" else "Probability among these"
    head = ["Model", chance, "ln evidence", "Δ to best"]
    for fit in verdict.models[0].fits:
        head += [f"{fit.measurement}: {misfit_name(fit)}", "reduced χ²", "p"]
    best = leading(verdict)
    rows = [_model_row(model, index, best) for index, model in enumerate(verdict.models)]
    classes = ["lead" if model is best and verdict.best is not None else "" for model in verdict.models]
    explanation = (
        "R is the squared residual over the squared data and Rw its square root; reduced χ² compares the "
        "residual with noise and theory error, and p is the probability of a misfit at least this large if "
        "the model were right."
    )
    return join(
        [
            element("h2", "Models", id="models"),
            table(head, rows, numbers=range(2, len(head)), row_classes=classes),
            element("p", explanation, classes="fine"),
        ]
    )


def _model_row(model: ModelResult, index: int, best: ModelResult) -> list[str]:
    width = f"width:{100 * model.probability:.1f}%;background:{model_color(index)}"
    bar = element("span", element("i", style=width), classes="track")
    row = [
        model.name,
        element("div", bar, percent(model.probability), classes="chance"),
        fixed(model.log_evidence, 1),
        fixed(model.log_evidence - best.log_evidence, 1) if model is not best else "0",
    ]
    for fit in model.fits:
        row += [significant(fit.R), significant(fit.chi2_reduced), significant(fit.p_value, 2)]
    return row


def single_measurements(verdict: Verdict) -> Markup:
    """Tabulate what each measurement says by itself, and when it is looked at in another way."""
    table_of = alone(verdict.models)
    settings = verdict.settings.get("measurements", {})
    head = ["Probability among these, from", *(model.name for model in verdict.models)]
    rows = []
    for measurement, chances in table_of.items():
        rows.append([f"{measurement} alone", *(percent(chances[m.name]) for m in verdict.models)])
        for label, control in settings.get(measurement, {}).get("controls", {}).items():
            rows.append(
                [
                    f"{measurement} alone, {label}",
                    *(percent(control[m.name]) if m.name in control else "–" for m in verdict.models),
                ]
            )
    rows.append(["all together", *(percent(model.probability) for model in verdict.models)])
    return join(
        [
            element("h2", "What each measurement says", id="measurements"),
            table(head, rows, numbers=range(1, len(head)), row_classes=[""] * (len(rows) - 1) + ["lead"]),
        ]
    )


def warnings_list(warnings: Sequence[str]) -> Markup:
    """List everything that the reader should doubt."""
    if not warnings:
        return join([element("h2", "Warnings", id="warnings"), element("p", "None.")])
    items = (element("li", text) for text in warnings)
    return join(
        [element("h2", f"Warnings ({len(warnings)})", id="warnings"), element("ul", *items, classes="doubts")]
    )
