"""A firm's staff: departments, employees with their managers, projects and who works on them."""

from __future__ import annotations

from rftgym_sql.schema import Schema, Table, day, key, ref, text, whole
from rftgym_sql.template import Year, ask

SCHEMA = Schema(
    "staff",
    (
        Table(
            "departments",
            (
                key(),
                text(
                    "name", "Audit|Brand|Care|Design|Energy|Field|Grants|Health|Imports|Justice", unique=True
                ),
                text("city", "Graz|Linz|Wels", nullable=True),
            ),
            size=5,
        ),
        Table(
            "employees",
            (
                key(),
                text(
                    "name",
                    "Anna|Bert|Cleo|Dirk|Edda|Felix|Greta|Hans|Inga|Jan|Klara|Leo|Mina|Noah|Olivia|Peter|Runa|Stefan|"
                    "Thea|Uwe|Vera|Willi|Yves|Zita|Arno|Britta|Curt|Dora",
                    unique=True,
                ),
                ref("departments", nullable=True),
                ref("employees", "manager_id", nullable=True),
                whole("salary", 2000, 7000, 250),
                day("hired", "2010-01-01", "2023-12-31"),
            ),
            size=14,
        ),
        Table(
            "projects",
            (
                key(),
                text(
                    "title",
                    "Amber|Basalt|Copper|Dune|Ebony|Flint|Garnet|Hemp|Ivory|Jade|Karst|Lime",
                    unique=True,
                ),
                ref("departments"),
                whole("budget", 10, 90, 5, nullable=True),
            ),
            size=6,
        ),
        Table(
            "assignments",
            (
                ref("employees", part_of_key=True),
                ref("projects", part_of_key=True),
                whole("hours", 2, 40, 2),
            ),
            size=26,
        ),
    ),
)
BOUND = (("at least", ">="), ("more than", ">"), ("at most", "<="), ("less than", "<"))
MEASURE = (("average", "AVG"), ("highest", "MAX"), ("lowest", "MIN"))

TRAIN = (
    ask(
        "well-paid",
        0.05,
        "Which employees hired on {day} or later earn {bound} {salary}?",
        "name, salary",
        "SELECT name, salary FROM employees WHERE hired >= {day} AND salary {bound} {salary}",
        day="employees.hired",
        bound=BOUND,
        salary="employees.salary",
    ),
    ask(
        "longest-serving",
        0.1,
        "Name the {n} employees with a salary of {bound} {salary} who were hired first. In the order of hiring; "
        "of one "
        "day by name.",
        "name, day of hiring",
        "SELECT name, hired FROM employees WHERE salary {bound} {salary} ORDER BY hired, name LIMIT {n}",
        (1, 0),
        n=range(2, 5),
        bound=BOUND,
        salary="employees.salary",
    ),
    ask(
        "without-manager",
        0.15,
        "How many employees have no manager but earn {bound} {salary}?",
        "number of employees",
        "SELECT COUNT(*) FROM employees WHERE manager_id IS NULL AND salary {bound} {salary}",
        bound=BOUND,
        salary="employees.salary",
    ),
    ask(
        "hired-by-year",
        0.3,
        "How many employees were hired in each year from {year} on? In order of time.",
        "year as a whole number, number of employees",
        "SELECT @YEAR(hired) AS year, COUNT(*) FROM employees WHERE @YEAR(hired) >= {year} GROUP BY year ORDER "
        "BY year",
        (0,),
        year=Year("employees.hired", range(2012, 2020)),
    ),
    ask(
        "salary-of-department",
        0.3,
        "What is the {measure} salary in each department that has at least {n} employees?",
        "department's name, salary",
        "SELECT d.name, {measure}(e.salary) FROM departments d JOIN employees e ON e.department_id = d.id "
        "GROUP BY d.id, d.name HAVING COUNT(*) >= {n}",
        measure=MEASURE,
        n=range(1, 4),
    ),
    ask(
        "all-with-department",
        0.25,
        "List all employees hired before {day} with the name of their department, and with 'none' where they "
        "have none.",
        "name, department's name",
        "SELECT e.name, COALESCE(d.name, 'none') FROM employees e LEFT JOIN departments d ON d.id = e.department_id "
        "WHERE e.hired < {day}",
        day="employees.hired",
    ),
    ask(
        "paid-more-than-manager",
        0.5,
        "Which employees who earn {bound} {salary} earn more than their manager?",
        "employee's name, manager's name",
        "SELECT e.name, m.name FROM employees e JOIN employees m ON m.id = e.manager_id "
        "WHERE e.salary > m.salary AND e.salary {bound} {salary}",
        bound=BOUND,
        salary="employees.salary",
    ),
    ask(
        "hours-of-projects",
        0.4,
        "How many hours are planned for each project with a known budget of {bound} {budget}? Projects nobody "
        "works on "
        "have 0.",
        "project title, hours",
        "SELECT p.title, COALESCE(SUM(a.hours), 0) FROM projects p LEFT JOIN assignments a ON a.project_id = p.id "
        "WHERE p.budget {bound} {budget} GROUP BY p.id, p.title",
        bound=BOUND,
        budget="projects.budget",
    ),
    ask(
        "on-several-projects",
        0.45,
        "Which employees work on at least {n} projects for {hours} hours or more each?",
        "name, number of such projects",
        "SELECT e.name, COUNT(*) FROM employees e JOIN assignments a ON a.employee_id = e.id WHERE a.hours >= "
        "{hours} "
        "GROUP BY e.id, e.name HAVING COUNT(*) >= {n}",
        n=range(1, 4),
        hours="assignments.hours",
    ),
    ask(
        "foreign-work",
        0.6,
        "Which employees work on a project of another department than their own? Those without a department do "
        "not count; "
        "only assignments of {bound} {hours} hours.",
        "employee's name, project title",
        "SELECT e.name, p.title FROM employees e JOIN assignments a ON a.employee_id = e.id "
        "JOIN projects p ON p.id = a.project_id WHERE e.department_id <> p.department_id AND a.hours {bound} {hours}",
        bound=BOUND,
        hours="assignments.hours",
    ),
    ask(
        "managers",
        0.5,
        "How many employees does each manager have who earns {bound} {salary}? Most first; equal numbers by name. "
        "Only who is the manager of somebody.",
        "manager's name, number of employees",
        "SELECT m.name, COUNT(*) AS people FROM employees e JOIN employees m ON m.id = e.manager_id "
        "WHERE m.salary {bound} {salary} GROUP BY m.id, m.name ORDER BY people DESC, m.name",
        (1, 0),
        bound=BOUND,
        salary="employees.salary",
    ),
    ask(
        "rank-of-salary",
        0.65,
        "Rank the employees within their department by salary, highest first, without gaps: equal salaries "
        "share a rank, "
        "and the next salary has the next rank. Only employees with a department and ranks up to {n}.",
        "department's name, employee's name, rank",
        "SELECT d.name, r.name, r.place FROM departments d JOIN (SELECT name, department_id, DENSE_RANK() OVER "
        "(PARTITION BY department_id ORDER BY salary DESC) AS place FROM employees) AS r "
        "ON r.department_id = d.id WHERE r.place <= {n}",
        n=range(1, 4),
    ),
)

VALIDATION = (
    ask(
        "idle-employees",
        0.45,
        "Which employees hired on {day} or later work on no project?",
        "name",
        "SELECT name FROM employees WHERE hired >= {day} EXCEPT "
        "SELECT e.name FROM employees e JOIN assignments a ON a.employee_id = e.id",
        day="employees.hired",
    ),
    ask(
        "salary-share",
        0.6,
        "Which percentage (0 to 100) of all salaries of their department do the employees earn who were hired before "
        "{day}? Only employees with a department.",
        "name, percentage",
        "SELECT e.name, 100.0 * e.salary / (SELECT SUM(c.salary) FROM employees c WHERE c.department_id = "
        "e.department_id) FROM employees e WHERE e.department_id IS NOT NULL AND e.hired < {day}",
        day="employees.hired",
    ),
)

TEST = (
    ask(
        "department-budget",
        0.55,
        "Which departments have projects with known budgets of {total} or more together, and how many employees "
        "has each "
        "of them?",
        "department's name, sum of budgets, number of employees",
        "SELECT d.name, b.total, (SELECT COUNT(*) FROM employees e WHERE e.department_id = d.id) FROM departments d "
        "JOIN (SELECT department_id, SUM(budget) AS total FROM projects GROUP BY department_id) AS b "
        "ON b.department_id = d.id WHERE b.total >= {total}",
        total=range(20, 120, 5),
    ),
    ask(
        "raise-before",
        0.8,
        "Compare each employee's salary with that of the one hired just before in the same department (of one "
        "day, the "
        "smaller id counts as hired before). List those who earn at least {gap} more.",
        "name, difference",
        "SELECT name, salary - former FROM (SELECT name, salary, LAG(salary) OVER (PARTITION BY department_id "
        "ORDER BY hired, id) AS former FROM employees WHERE department_id IS NOT NULL) AS hires "
        "WHERE salary - former >= {gap}",
        gap=range(250, 1500, 250),
    ),
)
