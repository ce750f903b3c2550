"""The usual ways to match a question, measured beside ours on the same questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import bm25s
import numpy as np
import rjieba
from rapidfuzz import fuzz, process
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from faq.knowledge import Entry, Knowledge
from faq.matching import Matcher
from faq.text import Speech

Answer = tuple[int, float]
"""The number of an entry and how sure the matcher is, on a scale of its own."""
Ask = Callable[[str], Answer]
Learn = Callable[[Sequence[str], Sequence[int]], Ask]


def qunda(speech: Speech, chatter: Iterable[str]) -> Learn:
    """Ours, with the word lists that ship."""
    lines = list(chatter)

    def learn(texts: Sequence[str], owners: Sequence[int]) -> Ask:
        said: dict[int, list[str]] = {}
        for text, owner in zip(texts, owners, strict=True):
            said.setdefault(owner, []).append(text)
        entries = [Entry(str(owner), own[0], tuple(own[1:]), answer="…") for owner, own in said.items()]
        matcher = Matcher(Knowledge(entries), speech, lines)

        def ask(text: str) -> Answer:
            matches = matcher.match(text)
            return (int(matches[0].entry_id), matches[0].confidence) if matches else (-1, 0.0)

        return ask

    return learn


def fuzzy(scorer: Callable[..., float]) -> Learn:
    """The nearest phrasing by rapidfuzz."""

    def learn(texts: Sequence[str], owners: Sequence[int]) -> Ask:
        spaced = [" ".join(text) for text in texts]

        def ask(text: str) -> Answer:
            found = process.extractOne(" ".join(text), spaced, scorer=scorer)
            return (owners[found[2]], found[1]) if found else (-1, 0.0)

        return ask

    return learn


def bm25(texts: Sequence[str], owners: Sequence[int]) -> Ask:
    """BM25 on the words that jieba cuts."""
    index = bm25s.BM25()
    index.index([rjieba.cut(text) for text in texts], show_progress=False)

    def ask(text: str) -> Answer:
        scores = index.get_scores(rjieba.cut(text))
        best = int(scores.argmax())
        return owners[best], float(scores[best])

    return ask


def characters(texts: Sequence[str], owners: Sequence[int]) -> Ask:
    """The nearest phrasing by TF-IDF over runs of one to three characters."""
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    stored = vectors.fit_transform(texts).T.tocsr()

    def ask(text: str) -> Answer:
        scores = (vectors.transform([text]) @ stored).toarray()[0]
        best = int(scores.argmax())
        return owners[best], float(scores[best])

    return ask


def regression(texts: Sequence[str], owners: Sequence[int]) -> Ask:
    """Logistic regression over the same runs."""
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    model = LogisticRegression(C=10, max_iter=200).fit(vectors.fit_transform(texts), owners)

    def ask(text: str) -> Answer:
        chances = model.predict_proba(vectors.transform([text]))[0]
        best = int(np.argmax(chances))
        return int(model.classes_[best]), float(chances[best])

    return ask


def all_of(speech: Speech, chatter: Iterable[str]) -> dict[str, Learn]:
    """Ours and the peers, by name."""
    return {
        "qunda": qunda(speech, chatter),
        "rapidfuzz WRatio": fuzzy(fuzz.WRatio),
        "rapidfuzz token_set": fuzzy(fuzz.token_set_ratio),
        "BM25 on jieba": bm25,
        "TF-IDF characters": characters,
        "logistic regression": regression,
    }
