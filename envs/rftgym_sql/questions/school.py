"""A school: teachers, courses, students and who takes what."""

from __future__ import annotations

from rftgym_sql.schema import Schema, Table, day, key, ref, text, whole
from rftgym_sql.template import ask

SCHEMA = Schema(
    "school",
    (
        Table(
            "teachers",
            (
                key(),
                text(
                    "name",
                    "Mr Ash|Ms Birch|Mr Cedar|Ms Elder|Mr Fir|Ms Hazel|Mr Larch|Ms Maple|Mr Oak|Ms Pine|Mr Rowan|"
                    "Ms Willow|Mr Yew|Ms Alder|Mr Beech|Ms Linden",
                    unique=True,
                ),
                text("subject", "maths|music|history|physics"),
                day("hired", "2005-01-01", "2022-12-31"),
            ),
            size=7,
        ),
        Table(
            "courses",
            (
                key(),
                text(
                    "title",
                    "Algebra|Baroque|Calculus|Choir|Civics|Drama|Empires|Fields|Geometry|Harmony|Heat|Jazz|Logic|"
                    "Maps|Motion|Optics|Proofs|Revolt|Rhythm|Sets|Trade|Waves",
                    unique=True,
                ),
                ref("teachers", nullable=True),
                whole("credits", 1, 6),
            ),
        ),
        Table(
            "students",
            (
                key(),
                text(
                    "name",
                    "Aki|Bo|Cy|Di|Eli|Flo|Gil|Hux|Ida|Jed|Kai|Lou|Mo|Ned|Ora|Pip|Ray|Sia|Ty|Una|Val|Wes|Xia|Zoe",
                    unique=True,
                ),
                whole("year_group", 7, 12),
                text("home_town", "Ely|Rye|Wem", nullable=True),
            ),
            size=12,
        ),
        Table(
            "enrolments",
            (
                ref("students", part_of_key=True),
                ref("courses", part_of_key=True),
                whole("grade", 30, 100, 5, nullable=True),
            ),
            size=34,
        ),
    ),
)
BOUND = (("at least", ">="), ("more than", ">"), ("at most", "<="), ("less than", "<"))
MEASURE = (("average", "AVG"), ("best", "MAX"), ("worst", "MIN"))

TRAIN = (
    ask(
        "students-of-group",
        0.05,
        "Which students of year group {group} have no known home town, or come from {town}?",
        "name",
        "SELECT name FROM students WHERE year_group = {group} AND (home_town IS NULL OR home_town = {town})",
        group="students.year_group",
        town="students.home_town",
    ),
    ask(
        "students-ordered",
        0.05,
        "List the students of year group {group} or above, highest group first; within a group by name.",
        "name, year group",
        "SELECT name, year_group FROM students WHERE year_group >= {group} ORDER BY year_group DESC, name",
        (1, 0),
        group="students.year_group",
    ),
    ask(
        "credits-in-all",
        0.1,
        "How many courses give {bound} {credits} credits, and how many credits do these give together (0 if none)?",
        "number of courses, sum of credits",
        "SELECT COUNT(*), COALESCE(SUM(credits), 0) FROM courses WHERE credits {bound} {credits}",
        bound=BOUND,
        credits="courses.credits",
    ),
    ask(
        "groups-by-town",
        0.25,
        "How many students of year group {group} or above come from each known home town?",
        "home town, number of students",
        "SELECT home_town, COUNT(*) FROM students WHERE home_town IS NOT NULL AND year_group >= {group} "
        "GROUP BY home_town",
        group="students.year_group",
    ),
    ask(
        "grade-of-course",
        0.3,
        "What is the {measure} known grade in each course that has any, of students of year group {group} or above?",
        "course title, grade",
        "SELECT c.title, {measure}(e.grade) FROM courses c JOIN enrolments e ON e.course_id = c.id "
        "JOIN students s ON s.id = e.student_id WHERE s.year_group >= {group} AND e.grade IS NOT NULL "
        "GROUP BY c.id, c.title",
        measure=MEASURE,
        group="students.year_group",
    ),
    ask(
        "courses-with-teacher",
        0.25,
        "List all courses of {bound} {credits} credits with their teacher's name, and with NULL where there is none.",
        "course title, teacher's name",
        "SELECT c.title, t.name FROM courses c LEFT JOIN teachers t ON t.id = c.teacher_id "
        "WHERE c.credits {bound} {credits}",
        bound=BOUND,
        credits="courses.credits",
    ),
    ask(
        "students-of-subject",
        0.4,
        "Which students take a course of a teacher of {subject}? Name each once, in alphabetical order.",
        "name",
        "SELECT DISTINCT s.name FROM students s JOIN enrolments e ON e.student_id = s.id "
        "JOIN courses c ON c.id = e.course_id JOIN teachers t ON t.id = c.teacher_id WHERE t.subject = {subject} "
        "ORDER BY s.name",
        (0,),
        subject="teachers.subject",
    ),
    ask(
        "hardly-attended",
        0.45,
        "Which courses have fewer than {n} students, counting those with none?",
        "course title, number of students",
        "SELECT c.title, COUNT(e.student_id) FROM courses c LEFT JOIN enrolments e ON e.course_id = c.id "
        "GROUP BY c.id, c.title HAVING COUNT(e.student_id) < {n}",
        n=range(2, 5),
    ),
    ask(
        "credits-of-student",
        0.4,
        "How many credits do the courses give together that each student of year group {group} takes? Students "
        "who take "
        "none have 0.",
        "name, credits",
        "SELECT s.name, COALESCE(SUM(c.credits), 0) FROM students s LEFT JOIN enrolments e ON e.student_id = s.id "
        "LEFT JOIN courses c ON c.id = e.course_id WHERE s.year_group = {group} GROUP BY s.id, s.name",
        group="students.year_group",
    ),
    ask(
        "pass-share",
        0.55,
        "Which share of the known grades in each course is {grade} or better, as a number from 0 to 1? Only courses "
        "with a known grade.",
        "course title, share",
        "SELECT c.title, SUM(CASE WHEN e.grade >= {grade} THEN 1 ELSE 0 END) * 1.0 / COUNT(*) FROM courses c "
        "JOIN enrolments e ON e.course_id = c.id WHERE e.grade IS NOT NULL GROUP BY c.id, c.title",
        grade="enrolments.grade",
    ),
    ask(
        "better-than-own-average",
        0.65,
        "In which courses has a student of year group {group} a better grade than the average of their own "
        "known grades?",
        "student's name, course title, grade",
        "SELECT s.name, c.title, e.grade FROM students s JOIN enrolments e ON e.student_id = s.id "
        "JOIN courses c ON c.id = e.course_id WHERE s.year_group = {group} AND e.grade > "
        "(SELECT AVG(f.grade) FROM enrolments f WHERE f.student_id = s.id)",
        group="students.year_group",
    ),
    ask(
        "top-of-course",
        0.7,
        "Who has the best known grade in each course of {bound} {credits} credits? All of them, where several "
        "have it.",
        "course title, student's name, grade",
        "WITH ranked AS (SELECT course_id, student_id, grade, RANK() OVER (PARTITION BY course_id ORDER BY "
        "grade DESC) "
        "AS place FROM enrolments WHERE grade IS NOT NULL) SELECT c.title, s.name, r.grade FROM ranked r "
        "JOIN courses c ON c.id = r.course_id JOIN students s ON s.id = r.student_id "
        "WHERE r.place = 1 AND c.credits {bound} {credits}",
        bound=BOUND,
        credits="courses.credits",
    ),
)

VALIDATION = (
    ask(
        "teachers-hired-between",
        0.15,
        "Which teachers were hired from {low} to {high}, both included? In the order of hiring; of one day by name.",
        "name, day",
        "SELECT name, hired FROM teachers WHERE hired BETWEEN {low} AND {high} ORDER BY hired, name",
        (1, 0),
        low="teachers.hired",
        high="teachers.hired",
    ),
    ask(
        "idle-teachers",
        0.4,
        "Which teachers hired before {day} give no course?",
        "name",
        "SELECT t.name FROM teachers t LEFT JOIN courses c ON c.teacher_id = t.id "
        "WHERE c.id IS NULL AND t.hired < {day}",
        day="teachers.hired",
    ),
)

TEST = (
    ask(
        "takes-both",
        0.6,
        "Which students take at least {n} courses, and have no unknown grade in any of theirs?",
        "name",
        "SELECT s.name FROM students s JOIN enrolments e ON e.student_id = s.id GROUP BY s.id, s.name "
        "HAVING COUNT(*) >= {n} AND COUNT(e.grade) = COUNT(*)",
        n=range(1, 4),
    ),
    ask(
        "grade-classes",
        0.6,
        "Count the enrolments in courses of {credits} or more credits by result: 'pass' for a grade of at least "
        "{grade}, "
        "'fail' below, 'open' where the grade is unknown. Only results that occur; in alphabetical order.",
        "result, number of enrolments",
        "SELECT CASE WHEN e.grade IS NULL THEN 'open' WHEN e.grade >= {grade} THEN 'pass' ELSE 'fail' END AS result, "
        "COUNT(*) FROM enrolments e JOIN courses c ON c.id = e.course_id WHERE c.credits >= {credits} "
        "GROUP BY result ORDER BY result",
        (0,),
        credits=range(2, 5),
        grade="enrolments.grade",
    ),
)
