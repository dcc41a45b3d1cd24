"""A cinema: films, screens, showings and reviews. Held out: for validation only."""

from __future__ import annotations

from rftgym_sql.schema import Schema, Table, day, key, money, ref, text, whole
from rftgym_sql.template import ask

SCHEMA = Schema(
    "cinema",
    (
        Table(
            "films",
            (
                key(),
                text(
                    "title",
                    "Alpine|Bridge|Cargo|Dawn|Eclipse|Fable|Gravel|Harbour|Island|Juno|Kestrel|Lagoon|Meadow|Nomad|"
                    "Opal|Prairie|Quartz|River|Summit|Tundra",
                    unique=True,
                ),
                text("genre", "drama|comedy|animation"),
                whole("released", 1995, 2024),
                whole("minutes", 70, 200, 5, nullable=True),
            ),
        ),
        Table(
            "screens",
            (
                key(),
                text("name", "Blue|Gold|Grand|Green|Attic|Red|Studio", unique=True),
                whole("seats", 40, 400, 40),
            ),
            size=4,
        ),
        Table(
            "showings",
            (key(), ref("films"), ref("screens"), day("shown_on", "2024-01-01"), money("price", 5, 15)),
            size=24,
        ),
        Table(
            "reviews",
            (
                key(),
                ref("films"),
                text("critic", "Arden|Blythe|Crane|Doyle"),
                whole("stars", 1, 5, nullable=True),
            ),
            size=20,
            distinct=((1, 2),),
        ),
    ),
)
BOUND = (("at least", ">="), ("more than", ">"), ("at most", "<="), ("less than", "<"))

VALIDATION = (
    ask(
        "films-of-genre",
        0.05,
        "Which films of genre '{genre}' were released after {year}? Newest first; of one year by title.",
        "title, year of release",
        "SELECT title, released FROM films WHERE genre = {genre} AND released > {year} ORDER BY released DESC, title",
        (1, 0),
        genre="films.genre",
        year="films.released",
    ),
    ask(
        "length-known",
        0.15,
        "How many films of {year} or later are there, and what is the average of their known lengths?",
        "number of films, average minutes",
        "SELECT COUNT(*), AVG(minutes) FROM films WHERE released >= {year}",
        year="films.released",
    ),
    ask(
        "stars-of-film",
        0.35,
        "What is the average of the known stars that each film of genre '{genre}' got? Films without any have NULL.",
        "title, average stars",
        "SELECT f.title, AVG(r.stars) FROM films f LEFT JOIN reviews r ON r.film_id = f.id WHERE f.genre = {genre} "
        "GROUP BY f.id, f.title",
        genre="films.genre",
    ),
    ask(
        "cheap-showings",
        0.3,
        "Which showings on a screen with {bound} {seats} seats cost less than {price}?",
        "showing id, film title, screen's name, day",
        "SELECT h.id, f.title, s.name, h.shown_on FROM showings h JOIN films f ON f.id = h.film_id "
        "JOIN screens s ON s.id = h.screen_id WHERE s.seats {bound} {seats} AND h.price < {price}",
        bound=BOUND,
        seats="screens.seats",
        price="showings.price",
    ),
    ask(
        "never-shown",
        0.4,
        "Which films of genre '{genre}' are never shown?",
        "title",
        "SELECT title FROM films WHERE genre = {genre} AND id NOT IN (SELECT film_id FROM showings)",
        genre="films.genre",
    ),
    ask(
        "critics-favourites",
        0.65,
        "Which film got each critic's most stars, among films released in {year} or later? All of them, where "
        "several did.",
        "critic, film title, stars",
        "WITH best AS (SELECT r.critic, f.title, r.stars, RANK() OVER (PARTITION BY r.critic ORDER BY r.stars DESC) "
        "AS place FROM reviews r JOIN films f ON f.id = r.film_id WHERE r.stars IS NOT NULL AND f.released >= "
        "{year}) "
        "SELECT critic, title, stars FROM best WHERE place = 1",
        year="films.released",
    ),
)
TRAIN = ()
TEST = ()
