"""Flights: airlines, airports, flights between them and who booked."""

from __future__ import annotations

from rftgym_sql.schema import Schema, Table, day, key, money, ref, text, whole
from rftgym_sql.template import Gap, Year, ask

SCHEMA = Schema(
    "flights",
    (
        Table(
            "airlines",
            (
                key(),
                text(
                    "name",
                    "Aero One|Blue Wing|Cirrus|Delta Bay|Eagle|Fair Air|Gale|Halcyon|Ibis|Jet West|Kite|Lark",
                    unique=True,
                ),
                text("country", "Spain|Kenya|India", nullable=True),
            ),
            size=5,
        ),
        Table(
            "airports",
            (
                key(),
                text(
                    "city",
                    "Accra|Basel|Cairo|Delhi|Essen|Faro|Goa|Hue|Izmir|Jaipur|Kyoto|Lima|Malaga|Nice|Oran|Porto",
                    unique=True,
                ),
                whole("runways", 1, 4),
            ),
            size=7,
        ),
        Table(
            "flights",
            (
                key(),
                ref("airlines"),
                ref("airports", "origin_id"),
                ref("airports", "destination_id"),
                day("departs_on", "2023-01-01"),
                whole("minutes", 40, 700, 20, nullable=True),
                whole("seats", 50, 300, 50),
            ),
            size=18,
        ),
        Table(
            "bookings",
            (
                key(),
                ref("flights"),
                text("passenger", "Abe|Bess|Clem|Dora|Ed|Fern|Gwen|Hugh"),
                money("fare", 30, 400),
                text("class", "first|second|crew"),
            ),
            size=32,
        ),
    ),
)
BOUND = (("at least", ">="), ("more than", ">"), ("at most", "<="), ("less than", "<"))
MEASURE = (
    ("sum of the fares", "SUM"),
    ("average fare", "AVG"),
    ("highest fare", "MAX"),
    ("lowest fare", "MIN"),
)

TRAIN = (
    ask(
        "flights-by-length",
        0.05,
        "Which flights take {bound} {minutes} minutes?",
        "flight id, minutes",
        "SELECT id, minutes FROM flights WHERE minutes {bound} {minutes}",
        bound=BOUND,
        minutes="flights.minutes",
    ),
    ask(
        "dear-bookings",
        0.1,
        "List the {n} dearest bookings of class '{class_name}'. Dearest first; equal fares by booking id.",
        "booking id, passenger, fare",
        "SELECT id, passenger, fare FROM bookings WHERE class = {class_name} ORDER BY fare DESC, id LIMIT {n}",
        (2, 0),
        n=range(2, 6),
        class_name="bookings.class",
    ),
    ask(
        "passengers-of-class",
        0.1,
        "Which passengers have a booking of class '{class_name}' with a fare of {bound} {fare}? Name each once.",
        "passenger",
        "SELECT DISTINCT passenger FROM bookings WHERE class = {class_name} AND fare {bound} {fare}",
        class_name="bookings.class",
        bound=BOUND,
        fare="bookings.fare",
    ),
    ask(
        "fares-of-passengers",
        0.25,
        "What is the {measure} of each passenger's bookings, those of class '{class_name}' left out?",
        "passenger, fare",
        "SELECT passenger, {measure}(fare) FROM bookings WHERE class <> {class_name} GROUP BY passenger",
        measure=MEASURE,
        class_name="bookings.class",
    ),
    ask(
        "flights-of-airline",
        0.3,
        "Which flights of airlines from {country} depart after {day}? In the order of departure; of one day by "
        "flight id.",
        "airline's name, flight id, day of departure",
        "SELECT a.name, f.id, f.departs_on FROM flights f JOIN airlines a ON a.id = f.airline_id "
        "WHERE a.country = {country} AND f.departs_on > {day} ORDER BY f.departs_on, f.id",
        (2, 1),
        country="airlines.country",
        day="flights.departs_on",
    ),
    ask(
        "from-and-to",
        0.4,
        "From which city to which city does each flight with {bound} {seats} seats go?",
        "flight id, city of origin, city of destination",
        "SELECT f.id, o.city, d.city FROM flights f JOIN airports o ON o.id = f.origin_id "
        "JOIN airports d ON d.id = f.destination_id WHERE f.seats {bound} {seats}",
        bound=BOUND,
        seats="flights.seats",
    ),
    ask(
        "airports-without-departure",
        0.4,
        "From which airports with at least {n} runways does no flight depart?",
        "city",
        "SELECT city FROM airports p WHERE runways >= {n} AND NOT EXISTS "
        "(SELECT 1 FROM flights f WHERE f.origin_id = p.id)",
        n=range(1, 4),
    ),
    ask(
        "income-of-airlines",
        0.45,
        "What have the bookings of class '{class_name}' brought each airline? Airlines without any have 0.",
        "airline's name, sum of fares",
        "SELECT a.name, COALESCE(SUM(b.fare), 0) FROM airlines a LEFT JOIN flights f ON f.airline_id = a.id "
        "LEFT JOIN bookings b ON b.flight_id = f.id AND b.class = {class_name} GROUP BY a.id, a.name",
        class_name="bookings.class",
    ),
    ask(
        "busy-routes",
        0.5,
        "Which pairs of origin and destination have at least {n} flights from {year} on?",
        "city of origin, city of destination, number of flights",
        "SELECT o.city, d.city, COUNT(*) FROM flights f JOIN airports o ON o.id = f.origin_id "
        "JOIN airports d ON d.id = f.destination_id WHERE @YEAR(f.departs_on) >= {year} "
        "GROUP BY o.id, o.city, d.id, d.city HAVING COUNT(*) >= {n}",
        n=range(1, 3),
        year=Year("flights.departs_on", range(2023, 2025)),
    ),
    ask(
        "load",
        0.6,
        "Which share of its seats, from 0 to 1, is booked on each flight with {bound} {seats} seats? Bookings "
        "of class "
        "'crew' do not count; flights without others have 0.",
        "flight id, share",
        "SELECT f.id, COUNT(b.id) * 1.0 / f.seats FROM flights f LEFT JOIN bookings b ON b.flight_id = f.id "
        "AND b.class <> 'crew' WHERE f.seats {bound} {seats} GROUP BY f.id, f.seats",
        bound=BOUND,
        seats="flights.seats",
    ),
    ask(
        "longest-of-airline",
        0.65,
        "Which is the longest flight of each airline, among those with known minutes and {bound} {seats} seats? "
        "Of equally long ones the one with the smallest id.",
        "airline's name, flight id, minutes",
        "WITH ranked AS (SELECT id, airline_id, minutes, ROW_NUMBER() OVER (PARTITION BY airline_id "
        "ORDER BY minutes DESC, id) AS place FROM flights WHERE minutes IS NOT NULL AND seats {bound} {seats}) "
        "SELECT a.name, r.id, r.minutes FROM ranked r JOIN airlines a ON a.id = r.airline_id WHERE r.place = 1",
        bound=BOUND,
        seats="flights.seats",
    ),
)

VALIDATION = (
    ask(
        "airport-traffic",
        0.6,
        "How many flights of {bound} {seats} seats begin or end at each airport, those that begin and end there "
        "counted "
        "twice? Airports without any have 0.",
        "city, number of flights",
        "SELECT p.city, COUNT(t.airport_id) FROM airports p LEFT JOIN (SELECT origin_id AS airport_id FROM flights "
        "WHERE seats {bound} {seats} UNION ALL SELECT destination_id FROM flights WHERE seats {bound} {seats}) AS t "
        "ON t.airport_id = p.id GROUP BY p.id, p.city",
        bound=BOUND,
        seats="flights.seats",
    ),
)

TEST = (
    ask(
        "running-income",
        0.8,
        "Add up the fares of class '{class_name}' over time: for each day of departure with any, the sum of the "
        "fares of "
        "that day and all before. In order of time.",
        "day of departure, sum so far",
        "WITH daily AS (SELECT f.departs_on AS day, SUM(b.fare) AS fares FROM flights f JOIN bookings b "
        "ON b.flight_id = f.id WHERE b.class = {class_name} GROUP BY f.departs_on) "
        "SELECT day, SUM(fares) OVER (ORDER BY day) FROM daily ORDER BY day",
        (0,),
        class_name="bookings.class",
    ),
    ask(
        "soon-after",
        0.75,
        "Which pairs of flights connect: the second one begins where the first one ends, at least one day and "
        "at most "
        "{days} days after its departure?",
        "id of the first flight, id of the second flight",
        "SELECT a.id, b.id FROM flights a JOIN flights b ON b.origin_id = a.destination_id "
        "WHERE b.departs_on > a.departs_on AND b.departs_on <= @LATER(a.departs_on, {days})",
        days=Gap("flights.departs_on", "flights.departs_on", range(30, 120, 10)),
    ),
    ask(
        "no-second-class",
        0.45,
        "On which flights with {bound} {seats} seats is there no booking of class '{class_name}'?",
        "flight id",
        "SELECT id FROM flights WHERE seats {bound} {seats} AND id NOT IN "
        "(SELECT flight_id FROM bookings WHERE class = {class_name})",
        bound=BOUND,
        seats="flights.seats",
        class_name="bookings.class",
    ),
)
