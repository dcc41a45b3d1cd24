"""A library: authors, books, members and loans."""

from __future__ import annotations

from rftgym_sql.schema import Schema, Table, day, key, ref, text, whole
from rftgym_sql.template import Gap, Year, ask

SCHEMA = Schema(
    "library",
    (
        Table(
            "authors",
            (
                key(),
                text(
                    "name",
                    "A. Berg|B. Castell|C. Dunmore|D. Evers|E. Falk|F. Gray|G. Hirsch|H. Ito|I. Jansen|J. Kahn|"
                    "K. Lowe|L. Marsh|M. Novak|N. Olsen|O. Pratt|P. Quist|R. Sand|S. Toller",
                    unique=True,
                ),
                text("country", "Norway|Japan|Chile|Ghana", nullable=True),
                whole("born", 1930, 1990, nullable=True),
            ),
            size=8,
        ),
        Table(
            "books",
            (
                key(),
                text(
                    "title",
                    "The Tide|Red Sand|red harvest|Hundred Days|A Night Walk|Nightfall|Good night, Fox|The Stair|"
                    "Seastar|Star Map|Startled|Cold Rain|Terrain|Rain Song|The Mill|Glass|North|Winter Road|Roadside|"
                    "Silt|The Orchard|Quiet Hour|Salt|Lantern|Driftwood|Ember",
                    unique=True,
                ),
                ref("authors"),
                text("genre", "novel|poetry|history|crime"),
                whole("year", 1970, 2023),
                whole("pages", 60, 600, 20, nullable=True),
            ),
            size=14,
        ),
        Table(
            "members",
            (
                key(),
                text(
                    "name",
                    "Abel|Bea|Carl|Dina|Emil|Fay|Gus|Hope|Ivo|June|Karl|Lina|Mara|Nils|Olga|Paul|Rita|Sven|Tara|Ulf",
                    unique=True,
                ),
                text("city", "Oslo|Bergen|Moss", nullable=True),
                day("joined", "2019-01-01", "2023-06-30"),
            ),
        ),
        Table(
            "loans",
            (
                key(),
                ref("books"),
                ref("members"),
                day("lent_on", "2023-01-01", "2023-09-30"),
                day("returned_on", "2023-10-01", "2024-06-30", nullable=True),
            ),
            size=26,
        ),
    ),
)
WORD = (("red", "red"), ("night", "night"), ("star", "star"), ("rain", "rain"), ("road", "road"))
COUNTED = (("at least", ">="), ("more than", ">"), ("exactly", "="))

TRAIN = (
    ask(
        "books-of-genre-since",
        0.05,
        "Which books of genre '{genre}' appeared in {year} or later?",
        "title, year",
        "SELECT title, year FROM books WHERE genre = {genre} AND year >= {year}",
        genre="books.genre",
        year="books.year",
    ),
    ask(
        "genres-after",
        0.1,
        "Which genres have a book that appeared after {year}? Name each once, in alphabetical order.",
        "genre",
        "SELECT DISTINCT genre FROM books WHERE year > {year} ORDER BY genre",
        (0,),
        year="books.year",
    ),
    ask(
        "years-between",
        0.1,
        "Which books appeared from {low} to {high}, both included? Newest first; books of one year by title.",
        "title, year",
        "SELECT title, year FROM books WHERE year BETWEEN {low} AND {high} ORDER BY year DESC, title",
        (1, 0),
        low="books.year",
        high="books.year",
    ),
    ask(
        "word-in-title",
        0.2,
        "How many books have '{word}' anywhere in their title, in small or capital letters?",
        "number of books",
        "SELECT COUNT(*) FROM books WHERE LOWER(title) LIKE '%{word}%'",
        word=WORD,
    ),
    ask(
        "pages-known",
        0.2,
        "How many books of genre '{genre}' are there, and of how many of them is the number of pages known?",
        "number of books, number with known pages",
        "SELECT COUNT(*), COUNT(pages) FROM books WHERE genre = {genre}",
        genre="books.genre",
    ),
    ask(
        "authors-of-genre",
        0.25,
        "Which authors have written a book of genre '{genre}'? Name each once.",
        "name",
        "SELECT DISTINCT a.name FROM authors a JOIN books b ON b.author_id = a.id WHERE b.genre = {genre}",
        genre="books.genre",
    ),
    ask(
        "loans-not-returned",
        0.3,
        "Which loans began before {day} and have not ended, with the book not returned?",
        "loan id, title, member's name, day of lending",
        "SELECT l.id, b.title, m.name, l.lent_on FROM loans l JOIN books b ON b.id = l.book_id "
        "JOIN members m ON m.id = l.member_id WHERE l.returned_on IS NULL AND l.lent_on < {day}",
        day="loans.lent_on",
    ),
    ask(
        "busy-members",
        0.35,
        "Which members have {bound} {n} loans?",
        "name, number of loans",
        "SELECT m.name, COUNT(*) FROM members m JOIN loans l ON l.member_id = m.id GROUP BY m.id, m.name "
        "HAVING COUNT(*) {bound} {n}",
        bound=COUNTED,
        n=range(2, 5),
    ),
    ask(
        "loans-each-book",
        0.4,
        "How often was each book of genre '{genre}' lent? Books that never were have 0.",
        "title, number of loans",
        "SELECT b.title, COUNT(l.id) FROM books b LEFT JOIN loans l ON l.book_id = b.id WHERE b.genre = {genre} "
        "GROUP BY b.id, b.title",
        genre="books.genre",
    ),
    ask(
        "different-readers",
        0.4,
        "How many different members have borrowed books by each author from {country}? Only authors who were "
        "borrowed.",
        "author's name, number of members",
        "SELECT a.name, COUNT(DISTINCT l.member_id) FROM authors a JOIN books b ON b.author_id = a.id "
        "JOIN loans l ON l.book_id = b.id WHERE a.country = {country} GROUP BY a.id, a.name",
        country="authors.country",
    ),
    ask(
        "members-without-loan",
        0.4,
        "Which members who joined in {year} or later have never borrowed a book?",
        "name",
        "SELECT name FROM members WHERE @YEAR(joined) >= {year} AND id NOT IN (SELECT member_id FROM loans)",
        year=Year("members.joined", range(2019, 2023)),
    ),
    ask(
        "longest-book",
        0.5,
        "Which books of genre '{genre}' have the most pages? All of them, where several have.",
        "title, pages",
        "SELECT title, pages FROM books WHERE genre = {genre} AND pages = "
        "(SELECT MAX(pages) FROM books WHERE genre = {genre})",
        genre="books.genre",
    ),
    ask(
        "pages-by-country",
        0.45,
        "What is the average number of pages of the books of each author's country, over books whose pages are "
        "known? "
        "Only known countries with at least {n} such books.",
        "country, average pages",
        "SELECT a.country, AVG(b.pages) FROM authors a JOIN books b ON b.author_id = a.id "
        "WHERE a.country IS NOT NULL GROUP BY a.country HAVING COUNT(b.pages) >= {n}",
        n=range(1, 4),
    ),
)

VALIDATION = (
    ask(
        "loan-length",
        0.55,
        "Which returned loans lasted more than {days} days?",
        "loan id, title, days",
        "SELECT l.id, b.title, @DAYS(l.lent_on, l.returned_on) FROM loans l JOIN books b ON b.id = l.book_id "
        "WHERE @DAYS(l.lent_on, l.returned_on) > {days}",
        days=Gap("loans.lent_on", "loans.returned_on", range(20, 200, 5)),
    ),
    ask(
        "poets-without-crime",
        0.5,
        "Which authors have written a book of genre '{one}' but none of genre '{other}'?",
        "name",
        "SELECT a.name FROM authors a JOIN books b ON b.author_id = a.id WHERE b.genre = {one} EXCEPT "
        "SELECT a.name FROM authors a JOIN books b ON b.author_id = a.id WHERE b.genre = {other}",
        one="books.genre",
        other="books.genre",
    ),
)

TEST = (
    ask(
        "rank-in-genre",
        0.7,
        "Rank the books of {year} or later by pages within their genre, longest first; equal pages share a rank, and "
        "the next rank is skipped accordingly. Only books with known pages, and only ranks up to {n}.",
        "genre, title, rank",
        "SELECT genre, title, place FROM (SELECT genre, title, RANK() OVER (PARTITION BY genre ORDER BY pages DESC) "
        "AS place FROM books WHERE pages IS NOT NULL AND year >= {year}) AS ranked WHERE place <= {n}",
        year="books.year",
        n=range(1, 4),
    ),
    ask(
        "town-or-author",
        0.45,
        "Make one list of the cities of members who joined before {day} and the countries of authors born after "
        "{born}. "
        "Each name once; unknown ones are left out.",
        "name of city or country",
        "SELECT city FROM members WHERE city IS NOT NULL AND joined < {day} UNION "
        "SELECT country FROM authors WHERE country IS NOT NULL AND born > {born}",
        day="members.joined",
        born="authors.born",
    ),
)
