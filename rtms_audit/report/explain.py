"""One install explained, the way a good answer in a forum reads; at most a screen and a half."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rtms_audit.core.model import Plan
from rtms_audit.core.verdicts import Cause, Diagnosis, Hypothesis, Outcome, Status, TimelineEntry
from rtms_audit.report.words import (
    CERTAINTY_WORDS,
    HYPOTHESIS_WORDS,
    OUTCOME_WORDS,
    capital,
    clock_time,
    evidence_note,
    moment,
    person,
    plain,
    sentence,
    stopped,
    wrap,
)

LINES = 60
WIDTH = 100
STEPS = 12
"""How many steps of the story are told before those that decide nothing are left out."""


@dataclass
class _Section:
    """A headed list of items, each of some lines; `least` of them stay when room is short, `likes` while it lasts.

    `ranks` says how much each item matters: the lowest goes first, among equals the one nearest to the middle. Without
    ranks the last goes first.
    """

    title: str
    items: list[list[str]]
    least: int = 1
    likes: int = 2
    ranks: list[int] | None = None
    hidden: int = 0

    @property
    def lines(self) -> list[str]:
        """The section as text lines, a blank one first."""
        if not self.items:
            return []
        more = [f"  … {self.hidden} more (--format json shows them all)"] if self.hidden else []
        return ["", self.title, *(line for item in self.items for line in item), *more]

    def spare(self, least: int) -> int:
        """How many lines there are to choose from, none where no more than `least` items are left."""
        return sum(len(item) for item in self.items) if len(self.items) > least else 0

    def shorten(self) -> None:
        """Leave one more item out."""
        places = range(len(self.items))
        ranks, middle = self.ranks or [-place for place in places], len(places) // 2
        least = min(places, key=lambda place: (ranks[place], abs(place - middle)))
        del self.items[least]
        if self.ranks:
            del self.ranks[least]
        self.hidden += 1


def explanation(diagnosis: Diagnosis, *, width: int = WIDTH, lines: int = LINES) -> str:
    """Return the explanation of one install as plain text of at most `lines` lines of `width` columns."""
    width = max(50, min(width, WIDTH))
    head = _head(diagnosis, width)
    sections = _sections(diagnosis, width)
    _fit(sections, lines - len(head), {id(section): section.likes for section in sections})
    _fit(sections, lines - len(head), {id(section): section.least for section in sections})
    return "\n".join([*head, *(line for section in sections for line in section.lines)]) + "\n"


def _fit(sections: list[_Section], lines: int, least: dict[int, int]) -> None:
    """Leave items out of the longest section until all fit, or no section has more than its least."""
    while sum(len(section.lines) for section in sections) > lines:
        longest = max(sections, key=lambda section: section.spare(least[id(section)]))
        if not longest.spare(least[id(longest)]):
            break
        longest.shorten()


def _head(diagnosis: Diagnosis, width: int) -> list[str]:
    title = f"{plain(str(diagnosis.install))}: {OUTCOME_WORDS[diagnosis.outcome]}"
    if diagnosis.label:
        title += f" ({plain(diagnosis.label)})"
    lines = [*wrap(title, width, most=2), "=" * min(len(title), width)]
    lines += wrap(sentence(diagnosis.summary), width, most=4) if diagnosis.summary else []
    return lines + wrap(plan_sentence(diagnosis), width, most=2)


def plan_sentence(diagnosis: Diagnosis) -> str:
    """Return what is known of the account's plan, and from what."""
    name = "not known" if diagnosis.plan is Plan.UNKNOWN else str(diagnosis.plan)
    return f"Plan: {name} ({diagnosis.plan_reason.rstrip('.')})." if diagnosis.plan_reason else f"Plan: {name}."


def _sections(diagnosis: Diagnosis, width: int) -> list[_Section]:
    return [
        _happened(diagnosis, width),
        _Section("Why", _causes(diagnosis, width), likes=3),
        _Section("What contradicts itself", _bullets(contradiction_sentences(diagnosis), width)),
        _Section("What speaks against the others", _bullets(ruled_out_sentences(diagnosis), width, 6), 2, 3),
        _Section("The four hypotheses", _hypotheses(diagnosis, width), least=4, likes=4),
        _Section("What to do", _bullets(remedies(diagnosis), width)),
        _Section("What to find out next", _bullets(questions(diagnosis), width), least=1),
    ]


def _happened(diagnosis: Diagnosis, width: int) -> _Section:
    """Return the story: what causes rest on stays longest, then what has a reading or excludes much, then the ends."""
    days = {entry.at.date() for entry in diagnosis.timeline if entry.at}
    day = f", {min(days)}" if len(days) == 1 else ""
    telling = {one for cause in diagnosis.causes for one in cause.evidence}
    telling |= {one for found in diagnosis.contradictions for one in found.evidence}
    against = Counter(one for found in diagnosis.ruled_out for one in found.evidence)
    ranks = [4 * (one.id in telling) + 2 * bool(one.reading) + min(against[one.id], 3) for one in diagnosis.timeline]
    section = _Section(
        f"What happened{day} (UTC)", _timeline(diagnosis.timeline, ranks, width), least=4, likes=8, ranks=ranks
    )
    while len(section.items) > STEPS and min(ranks) == 0:
        section.shorten()
    return section


def _timeline(entries: tuple[TimelineEntry, ...], ranks: list[int], width: int) -> list[list[str]]:
    """Return each step's lines; a reading that several steps share stands at the one that matters most."""
    days = {entry.at.date() for entry in entries if entry.at}
    when = clock_time if len(days) < 2 else lambda at: moment(at).removesuffix(" UTC") if at else ""
    times = [when(entry.at) for entry in entries]
    time_room = max(map(len, times), default=0)
    id_room = min(max((len(entry.id) for entry in entries), default=0), 12)
    items = []
    places = sorted(range(len(entries)), key=lambda place: -ranks[place])
    readers = {entries[place].reading: place for place in reversed(places)}
    for place, (time, entry) in enumerate(zip(times, entries, strict=True)):
        lead = f"  {time:<{time_room}}  " if time_room else "  "
        lead += f"{plain(entry.id)[:id_room]:<{id_room}}  "
        told = entry.reading and readers[entry.reading] == place
        text = f"{entry.text}: {entry.reading}" if told else entry.text
        items.append(wrap(text, width, first=lead, rest=" " * len(lead), most=3))
    return items


def _causes(diagnosis: Diagnosis, width: int) -> list[list[str]]:
    if not diagnosis.causes:
        return [wrap(no_cause_sentence(diagnosis), width, first="  ", rest="  ")]
    return [wrap(cause_sentence(cause), width, first="  ", rest="    ", most=4) for cause in diagnosis.causes]


def no_cause_sentence(diagnosis: Diagnosis) -> str:
    """Return what there is to say where no cause was found."""
    if diagnosis.outcome in (Outcome.STARTED, Outcome.NOT_ATTEMPTED):
        return "Nothing went wrong as far as the evidence shows."
    return "The evidence names no cause."


def cause_sentence(cause: Cause) -> str:
    """Return a cause with its certainty, its id, its reason and its evidence."""
    return f"{CERTAINTY_WORDS[cause.status]} {cause.id}: {stopped(cause.reason)}{evidence_note(cause.evidence)}"


def contradiction_sentences(diagnosis: Diagnosis) -> list[str]:
    """Return what cannot both be right, with the evidence."""
    return [f"{stopped(one.text)}{evidence_note(one.evidence)}" for one in diagnosis.contradictions]


def ruled_out_sentences(diagnosis: Diagnosis) -> list[str]:
    """Return what excludes causes, with the evidence; those that the same evidence excludes stand together."""
    grounds: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in diagnosis.ruled_out:
        grounds.setdefault((one.reason, one.evidence), []).append(one.id)
    return [
        f"{', '.join(ids)}: {stopped(reason)}{evidence_note(evidence)}" for (reason, evidence), ids in grounds.items()
    ]


def hypothesis_sentence(hypothesis: Hypothesis) -> str:
    """Return one of the four explanations: how it stands, its name, and the reason."""
    return f"{HYPOTHESIS_WORDS[hypothesis.status]:<9}  {hypothesis.title}: {stopped(hypothesis.reason)}"


def remedies(diagnosis: Diagnosis) -> list[str]:
    """Return who should do what and where, without doubles, for the causes strong enough to act on.

    Where only possible causes are known, these; a possible cause beside a stronger one is no ground to act.
    """
    strong = [cause for cause in diagnosis.causes if cause.status is not Status.POSSIBLE]
    told = []
    for cause in strong or diagnosis.causes:
        if not cause.remedy.what or cause.remedy.who == "nobody":
            continue
        where = f" ({cause.remedy.where})" if cause.remedy.where else ""
        condition = "" if strong else f"if it is {cause.id}: "
        told.append(f"{capital(person(cause.remedy.who))}: {condition}{cause.remedy.what.rstrip('.')}{where}.")
    return list(dict.fromkeys(told))


def questions(diagnosis: Diagnosis) -> list[str]:
    """Return what to ask next, and whom."""
    return [f"Ask the {person(step.who)}: {step.fact}. {sentence(step.how)}" for step in diagnosis.next]


def _hypotheses(diagnosis: Diagnosis, width: int) -> list[list[str]]:
    rest = " " * 13
    return [wrap(hypothesis_sentence(one), width, first="  ", rest=rest, most=3) for one in diagnosis.hypotheses]


def _bullets(texts: Iterable[str], width: int, most: int = 3) -> list[list[str]]:
    return [wrap(text, width, first="  - ", rest="    ", most=most) for text in texts]
