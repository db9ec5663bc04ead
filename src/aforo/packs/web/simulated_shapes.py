"""How a site that is made up looks: when people come, from where, with what, and what they look at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Visits by hour of the site's own day: a low at four, a hill before noon and a higher one in the evening.
HOURS = (
    *(1.6, 1.0, 0.7, 0.5, 0.4, 0.6, 1.3, 2.6, 4.3, 5.6, 6.1, 6.2),
    *(5.4, 5.0, 5.5, 5.6, 5.3, 5.1, 5.4, 6.3, 7.0, 6.6, 4.8, 2.9),
)
WEEKDAYS = (1.12, 1.15, 1.13, 1.08, 0.98, 0.74, 0.80)  # from Monday

SOURCES = ("direct", "organic_search", "social", "referral", "paid_search", "email")
OF_NEW = (0.22, 0.38, 0.19, 0.12, 0.08, 0.01)
OF_RETURNING = (0.58, 0.17, 0.07, 0.06, 0.03, 0.09)

DEVICES = ("mobile", "desktop", "tablet")
OF_DEVICES = (0.56, 0.39, 0.05)
BOT = "bot"

PLACES = (
    ("ES", "Madrid", "Madrid"),
    ("ES", "Cataluña", "Barcelona"),
    ("ES", "Andalucía", "Sevilla"),
    ("MX", "Jalisco", "Guadalajara"),
    ("AR", "Buenos Aires", "La Plata"),
    ("PT", "Lisboa", "Lisboa"),
    ("GB", "England", "Leeds"),
    ("DE", "Bayern", "München"),
    ("US", "Texas", "Austin"),
    ("CA", "Ontario", "Toronto"),
)
OF_PLACES = (0.22, 0.16, 0.09, 0.12, 0.08, 0.07, 0.06, 0.05, 0.11, 0.04)

PATHS = (
    *("/", "/prices", "/features", "/blog", "/contact", "/about", "/help", "/careers"),
    *(f"/blog/{slug}" for slug in ("exact-sets", "late-events", "one-process", "time-zones", "river-gauges")),
    *(f"/help/{slug}" for slug in ("begin", "load", "ask", "keys", "erase")),
)
LANDING = (
    *(0.40, 0.09, 0.05, 0.05, 0.02, 0.02, 0.02, 0.01),
    *(0.12, 0.06, 0.04, 0.04, 0.03),
    *(0.02, 0.01, 0.01, 0.005, 0.005),
)
ONWARD = (
    *(0.12, 0.20, 0.16, 0.09, 0.11, 0.06, 0.05, 0.03),
    *(0.03, 0.02, 0.02, 0.02, 0.02),
    *(0.02, 0.02, 0.01, 0.01, 0.01),
)
FORM_PATH = "/contact"
FORM = "offer"

ONE_MORE_PAGE = 0.55  # chance of a visitor to go on to another page
MOST_PAGES = 25
NEW = 0.62  # share of the visits that are the first of their visitor
BEGINS_FORM = 0.09  # share of the visits, of people
SENDS_FORM = 0.43  # share of the forms that were begun
BECOMES_LEAD = 0.72  # share of the forms that were sent
BOTS = 0.03  # share of the visits
BOT_PAGES = 12
BOT_NUMBERS = 40
LATE = 0.012  # share of the events that come hours or days after others of their time
TWICE = 0.006  # share of the events that are sent a second time
RETURNS_AFTER_DAYS = 9.0  # mean time until somebody comes again
LONGEST_ABSENCE_DAYS = 60

PAGES = float(sum(ONE_MORE_PAGE**at for at in range(MOST_PAGES)))
EVENTS_PER_VISIT = (1 - BOTS) * (PAGES + BEGINS_FORM * (1 + SENDS_FORM)) + BOTS * BOT_PAGES


def shares(weights: tuple[float, ...]) -> Floats:
    """Weights as bounds for a number from 0 to 1: the last of them is 1."""
    return np.cumsum(np.array(weights)) / sum(weights)
