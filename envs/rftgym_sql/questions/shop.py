"""A shop: customers, products, orders and what is in them."""

from __future__ import annotations

from rftgym_sql.schema import Schema, Table, day, key, money, ref, text, whole
from rftgym_sql.template import Year, ask

SCHEMA = Schema(
    "shop",
    (
        Table(
            "customers",
            (
                key(),
                text(
                    "name",
                    "Ada Moss|Ben Holt|Cora Lind|Dov Katz|Ema Ruiz|Finn Bell|Gia Tosi|Hal Ward|Ines Roy|Jon Vale|"
                    "Kim Oh|Lea Brandt|Max Orr|Nia Cole|Otto Weiss|Pia Lund|Quin Dale|Rosa Mena|Sam Tate|Tess Voss|"
                    "Uma Nair|Vic Stone|Wen Li|Yara Said",
                    unique=True,
                ),
                text("city", "Leeds|York|Bath|Derby|Truro", nullable=True),
                day("joined", "2020-01-01", "2023-12-31"),
            ),
        ),
        Table(
            "products",
            (
                key(),
                text(
                    "name",
                    "Oak Lamp|lamp shade|Desk LAMP|Lampion|Clamp|Tea Pot|pot holder|Flower Pot|Spotlight|Red Chair|"
                    "chair pad|Armchair|Blue Rug|Rug Brush|Wool Throw|Steel Bowl|bowling set|Oak Shelf|Book Rest|"
                    "Candle|Mirror|Vase|Door Mat|Wall Clock",
                    unique=True,
                ),
                text("category", "kitchen|garden|office|bedroom"),
                money("price", 2, 60),
                whole("stock", 0, 40, nullable=True),
            ),
        ),
        Table(
            "orders",
            (key(), ref("customers"), day("ordered_on"), text("status", "open|shipped|returned")),
            size=16,
        ),
        Table(
            "order_items",
            (
                ref("orders", part_of_key=True),
                ref("products", part_of_key=True),
                whole("quantity", 1, 6),
            ),
            size=28,
        ),
    ),
)
BOUND = (("at least", ">="), ("more than", ">"), ("at most", "<="), ("less than", "<"))
EXTREME = (("highest", "MAX"), ("lowest", "MIN"))
WORD = (("lamp", "lamp"), ("pot", "pot"), ("chair", "chair"), ("bowl", "bowl"), ("rug", "rug"))

TRAIN = (
    ask(
        "products-by-price",
        0.05,
        "Which products cost {bound} {price}?",
        "name, price",
        "SELECT name, price FROM products WHERE price {bound} {price}",
        bound=BOUND,
        price="products.price",
    ),
    ask(
        "products-in-category",
        0.05,
        "List the products of category '{category}' that cost {bound} {price}, cheapest first; equal prices by name.",
        "name, price",
        "SELECT name, price FROM products WHERE category = {category} AND price {bound} {price} ORDER BY price, name",
        (1, 0),
        category="products.category",
        bound=BOUND,
        price="products.price",
    ),
    ask(
        "extreme-price",
        0.1,
        "What is the {extreme} price of a product of category '{category}'? One row, with NULL where there is none.",
        "the price",
        "SELECT {extreme}(price) FROM products WHERE category = {category}",
        extreme=EXTREME,
        category="products.category",
    ),
    ask(
        "dearest-products",
        0.15,
        "Which are the {n} dearest products of category '{category}'? Dearest first; equal prices by name.",
        "name, price",
        "SELECT name, price FROM products WHERE category = {category} ORDER BY price DESC, name LIMIT {n}",
        (1, 0),
        n=range(2, 5),
        category="products.category",
    ),
    ask(
        "name-contains",
        0.2,
        "Which products have '{word}' anywhere in their name, in small or capital letters?",
        "name",
        "SELECT name FROM products WHERE LOWER(name) LIKE '%{word}%'",
        word=WORD,
    ),
    ask(
        "unknown-stock",
        0.15,
        "Which products of category '{category}' have no stock known, or a stock of less than {stock}?",
        "name, stock",
        "SELECT name, stock FROM products WHERE category = {category} AND (stock IS NULL OR stock < {stock})",
        category="products.category",
        stock="products.stock",
    ),
    ask(
        "orders-in-status-since",
        0.15,
        "How many orders of status '{status}' were made on {day} or later?",
        "number of orders",
        "SELECT COUNT(*) FROM orders WHERE status = {status} AND ordered_on >= {day}",
        status="orders.status",
        day="orders.ordered_on",
    ),
    ask(
        "customers-of-orders",
        0.3,
        "Which customers have made at least one order in {year}? Name each once.",
        "name",
        "SELECT DISTINCT c.name FROM customers c JOIN orders o ON o.customer_id = c.id "
        "WHERE @YEAR(o.ordered_on) = {year}",
        year=Year("orders.ordered_on", range(2022, 2025)),
    ),
    ask(
        "orders-each",
        0.4,
        "How many orders of status '{status}' has each customer made? Customers without any have 0.",
        "customer's name, number of orders",
        "SELECT c.name, COUNT(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id "
        "AND o.status = {status} GROUP BY c.id, c.name",
        status="orders.status",
    ),
    ask(
        "category-stats",
        0.3,
        "For each category with at least {n} products: the number of its products and their average price.",
        "category, number of products, average price",
        "SELECT category, COUNT(*), AVG(price) FROM products GROUP BY category HAVING COUNT(*) >= {n}",
        n=range(2, 5),
    ),
    ask(
        "order-totals",
        0.45,
        "What is each order of status '{status}' worth (sum of price times quantity)? Only orders that hold "
        "something, "
        "worth {bound} {total}.",
        "order id, its worth",
        "SELECT o.id, SUM(p.price * i.quantity) FROM orders o JOIN order_items i ON i.order_id = o.id "
        "JOIN products p ON p.id = i.product_id WHERE o.status = {status} GROUP BY o.id "
        "HAVING SUM(p.price * i.quantity) {bound} {total}",
        pins={"products.price": [10.0, 20.0], "order_items.quantity": [1, 2, 3]},
        status="orders.status",
        bound=BOUND,
        total=range(20, 130, 10),
    ),
    ask(
        "never-ordered",
        0.4,
        "Which products of category '{category}' are in no order?",
        "name",
        "SELECT name FROM products p WHERE category = {category} AND NOT EXISTS "
        "(SELECT 1 FROM order_items i WHERE i.product_id = p.id)",
        category="products.category",
    ),
    ask(
        "above-category-average",
        0.6,
        "Which products cost more than the average of their own category, and at least {price}?",
        "name, category, price",
        "SELECT name, category, price FROM products p WHERE price >= {price} AND price > "
        "(SELECT AVG(q.price) FROM products q WHERE q.category = p.category)",
        price="products.price",
    ),
    ask(
        "stock-classes",
        0.45,
        "Sort the products of category '{category}' into stock classes: 'none' where the stock is 0, 'low' below "
        "{stock}, 'good' otherwise, 'unknown' where none is known. How many products has each class that occurs?",
        "class, number of products",
        "SELECT CASE WHEN stock IS NULL THEN 'unknown' WHEN stock = 0 THEN 'none' WHEN stock < {stock} THEN 'low' "
        "ELSE 'good' END AS class, COUNT(*) FROM products WHERE category = {category} GROUP BY class",
        stock="products.stock",
        category="products.category",
    ),
    ask(
        "sales-by-month",
        0.65,
        "How many pieces were ordered in each month of {year} that has any? In order of time.",
        "month as YYYY-MM, number of pieces",
        "SELECT @MONTH(o.ordered_on) AS month, SUM(i.quantity) FROM orders o JOIN order_items i ON i.order_id = o.id "
        "WHERE @YEAR(o.ordered_on) = {year} GROUP BY month ORDER BY month",
        (0,),
        year=Year("orders.ordered_on", range(2022, 2025)),
    ),
)

VALIDATION = (
    ask(
        "city-unknown",
        0.15,
        "Which customers who joined before {day} live in a known city that is not {city}?",
        "name, city",
        "SELECT name, city FROM customers WHERE city IS NOT NULL AND city <> {city} AND joined < {day}",
        day="customers.joined",
        city="customers.city",
    ),
    ask(
        "pieces-sold",
        0.45,
        "How many pieces of each product of category '{category}' are in orders? Products in none have 0. Most "
        "first; "
        "equal numbers by name.",
        "product's name, number of pieces",
        "SELECT p.name, COALESCE(SUM(i.quantity), 0) AS pieces FROM products p LEFT JOIN order_items i "
        "ON i.product_id = p.id WHERE p.category = {category} GROUP BY p.id, p.name ORDER BY pieces DESC, p.name",
        (1, 0),
        category="products.category",
    ),
)

TEST = (
    ask(
        "first-orders",
        0.7,
        "When did each customer from {city} order first, and with which order? Among orders of one day it is the one "
        "with the smallest id. Only customers who have ordered.",
        "customer's name, day, order id",
        "WITH ranked AS (SELECT customer_id, id, ordered_on, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY "
        "ordered_on, id) AS place FROM orders) SELECT c.name, r.ordered_on, r.id FROM customers c JOIN ranked r "
        "ON r.customer_id = c.id WHERE r.place = 1 AND c.city = {city}",
        city="customers.city",
    ),
    ask(
        "both-statuses",
        0.55,
        "Which customers have made both an order of status '{one}' and one of status '{other}'?",
        "name",
        "SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.status = {one} INTERSECT "
        "SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.status = {other}",
        one="orders.status",
        other="orders.status",
    ),
    ask(
        "revenue-by-city",
        0.6,
        "What is the worth (price times quantity) of all that customers of each known city have ordered, orders of "
        "status '{status}' left out? Only cities with any such order that holds something.",
        "city, worth",
        "SELECT c.city, SUM(p.price * i.quantity) FROM customers c JOIN orders o ON o.customer_id = c.id "
        "JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id "
        "WHERE c.city IS NOT NULL AND o.status <> {status} GROUP BY c.city",
        status="orders.status",
    ),
)
