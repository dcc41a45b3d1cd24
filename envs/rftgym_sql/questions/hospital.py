"""A hospital: wards, doctors, patients and stays. Held out: for tests only."""

from __future__ import annotations

from rftgym_sql.schema import Schema, Table, day, key, ref, text, whole
from rftgym_sql.template import Gap, ask

SCHEMA = Schema(
    "hospital",
    (
        Table(
            "wards",
            (
                key(),
                text(
                    "name", "Cardiology|Surgery|Neurology|Paediatrics|Oncology|Urology|Maternity", unique=True
                ),
                whole("beds", 4, 30, 2),
            ),
            size=4,
        ),
        Table(
            "doctors",
            (
                key(),
                text(
                    "name",
                    "Dr Abara|Dr Blom|Dr Conti|Dr Diaz|Dr Engel|Dr Farah|Dr Gomez|Dr Hahn|Dr Ivanova|Dr "
                    "Joshi|Dr Kwan|"
                    "Dr Lopez|Dr Meyer|Dr Nkosi",
                    unique=True,
                ),
                ref("wards", nullable=True),
            ),
            size=9,
        ),
        Table(
            "patients",
            (
                key(),
                text(
                    "name",
                    "P. Adler|P. Bosch|P. Cray|P. Dietz|P. Ekman|P. Foss|P. Goss|P. Haas|P. Ives|P. Jung|P. Kerr|"
                    "P. Lang|P. Mohr|P. Nash|P. Otte|P. Pohl|P. Rusk|P. Senn|P. Thal|P. Ulm",
                    unique=True,
                ),
                day("born", "1950-01-01", "2015-12-31"),
                text("blood_group", "A|B|AB|O", nullable=True),
            ),
            size=11,
        ),
        Table(
            "stays",
            (
                key(),
                ref("patients"),
                ref("wards"),
                ref("doctors", nullable=True),
                day("admitted", "2023-01-01", "2023-12-31"),
                day("discharged", "2024-01-01", "2024-06-30", nullable=True),
            ),
            size=18,
        ),
    ),
)
BOUND = (("at least", ">="), ("more than", ">"), ("at most", "<="), ("less than", "<"))

TEST = (
    ask(
        "born-between",
        0.05,
        "Which patients were born from {low} to {high}, both included? Oldest first; of one day by name.",
        "name, day of birth",
        "SELECT name, born FROM patients WHERE born BETWEEN {low} AND {high} ORDER BY born, name",
        (1, 0),
        low="patients.born",
        high="patients.born",
    ),
    ask(
        "blood-groups",
        0.2,
        "How many patients born after {day} have each known blood group? Only groups with at least {n}.",
        "blood group, number of patients",
        "SELECT blood_group, COUNT(*) FROM patients WHERE blood_group IS NOT NULL AND born > {day} GROUP BY "
        "blood_group "
        "HAVING COUNT(*) >= {n}",
        day="patients.born",
        n=range(1, 3),
    ),
    ask(
        "still-there",
        0.3,
        "Which patients admitted before {day} have not been discharged? One row a stay.",
        "stay id, patient's name, ward's name, day of admission",
        "SELECT s.id, p.name, w.name, s.admitted FROM stays s JOIN patients p ON p.id = s.patient_id "
        "JOIN wards w ON w.id = s.ward_id WHERE s.discharged IS NULL AND s.admitted < {day}",
        day="stays.admitted",
    ),
    ask(
        "free-beds",
        0.55,
        "How many beds are free in each ward of {bound} {beds} beds, that is beds less stays that have not ended?",
        "ward's name, number of free beds",
        "SELECT w.name, w.beds - COUNT(s.id) FROM wards w LEFT JOIN stays s ON s.ward_id = w.id "
        "AND s.discharged IS NULL WHERE w.beds {bound} {beds} GROUP BY w.id, w.name, w.beds",
        bound=BOUND,
        beds="wards.beds",
    ),
    ask(
        "long-stays",
        0.5,
        "Which patients have had a stay of more than {days} days that has ended? Name each once.",
        "name",
        "SELECT DISTINCT p.name FROM patients p JOIN stays s ON s.patient_id = p.id "
        "WHERE @DAYS(s.admitted, s.discharged) > {days}",
        days=Gap("stays.admitted", "stays.discharged", range(60, 300, 10)),
    ),
    ask(
        "other-ward",
        0.6,
        "Which doctors with a ward have treated a stay in another ward than their own since {day} (that day "
        "included)? "
        "Name each once.",
        "name",
        "SELECT DISTINCT d.name FROM doctors d JOIN stays s ON s.doctor_id = d.id "
        "WHERE d.ward_id <> s.ward_id AND s.admitted >= {day}",
        day="stays.admitted",
    ),
    ask(
        "untreated",
        0.45,
        "Which doctors of a ward with {bound} {beds} beds have treated no stay?",
        "doctor's name, ward's name",
        "SELECT d.name, w.name FROM doctors d JOIN wards w ON w.id = d.ward_id WHERE w.beds {bound} {beds} "
        "AND NOT EXISTS (SELECT 1 FROM stays s WHERE s.doctor_id = d.id)",
        bound=BOUND,
        beds="wards.beds",
    ),
    ask(
        "returned",
        0.8,
        "Which patients came back: what is the shortest time in days from one admission to the patient's next one? "
        "Admissions of one day are in the order of their ids; only patients whose shortest time is at most {days}.",
        "name, days",
        "WITH gaps AS (SELECT patient_id, admitted, LAG(admitted) OVER (PARTITION BY patient_id ORDER BY "
        "admitted, id) "
        "AS former FROM stays) SELECT p.name, MIN(@DAYS(g.former, g.admitted)) FROM gaps g "
        "JOIN patients p ON p.id = g.patient_id WHERE g.former IS NOT NULL GROUP BY p.id, p.name "
        "HAVING MIN(@DAYS(g.former, g.admitted)) <= {days}",
        days=Gap("stays.admitted", "stays.admitted", range(20, 150, 10)),
    ),
    ask(
        "most-treated",
        0.7,
        "Which wards had the most stays admitted in or after {month_words}? All of them, where several did.",
        "ward's name, number of stays",
        "WITH counted AS (SELECT ward_id, COUNT(*) AS stays FROM stays WHERE admitted >= {month_words} GROUP BY "
        "ward_id) "
        "SELECT w.name, c.stays FROM counted c JOIN wards w ON w.id = c.ward_id "
        "WHERE c.stays = (SELECT MAX(stays) FROM counted)",
        month_words=(
            ("February 2023", "'2023-02-01'"),
            ("April 2023", "'2023-04-01'"),
            ("June 2023", "'2023-06-01'"),
            ("July 2023", "'2023-07-01'"),
        ),
    ),
)
TRAIN = ()
VALIDATION = ()
