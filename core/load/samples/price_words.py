"""The invented trade of the sample *Price it*: things, brands, materials, sentences. Nothing here is a real company.

Prices are in USD and weights in pounds, for one new thing of a middling brand. Not known here: how they are combined.
"""

from __future__ import annotations

from typing import NamedTuple


class Thing(NamedTuple):
    name: str
    usd: float
    pounds: float
    unit: str
    sizes: tuple[float, ...]
    power: float
    """How strongly the price follows the size: price x (size / middle size) ^ power."""
    stuff: str
    """Key of MATERIALS."""
    powered: bool
    parts: tuple[str, ...]
    """What is sold for it separately."""


CATEGORIES: dict[str, tuple[float, tuple[Thing, ...]]] = {
    "Home_and_Kitchen": (0.60, (
        Thing("stand mixer", 168, 17, "quart", (3.5, 4.5, 5, 6, 7, 8), 0.7, "metal", True, ("mixing bowl", "dough hook", "splash guard")),
        Thing("cast skillet", 31, 5.5, "inch", (6, 8, 10, 12, 15), 1.1, "pan", False, ("glass lid", "handle sleeve")),
        Thing("gooseneck kettle", 39, 2.3, "liter", (0.6, 0.8, 1, 1.2, 1.7), 0.5, "metal", True, ("heating base", "kettle lid")),
        Thing("countertop blender", 71, 8, "watt", (300, 500, 700, 900, 1200, 1500), 0.7, "metal", True, ("blender jar",
        "blade assembly")),
        Thing("chef knife", 45, 0.6, "inch", (5, 6, 8, 10), 0.9, "blade", False, ("blade guard", "knife sharpener")),
        Thing("dutch oven", 82, 11, "quart", (2.5, 3, 4, 5.5, 7), 0.8, "pan", False, ("oven knob", "trivet")),
        Thing("storage basket", 18, 1.6, "liter", (8, 12, 20, 30, 45), 0.6, "woven", False, ("basket liner", "basket lid")),
        Thing("floor lamp", 67, 9, "inch", (42, 48, 56, 62, 70), 0.8, "metal", True, ("lamp shade", "foot switch")),
        Thing("throw blanket", 33, 3, "inch", (40, 50, 60, 70, 80), 1.2, "cloth", False, ("wash bag", "blanket clip set")),
        Thing("duvet cover", 48, 4, "inch", (68, 80, 90, 104), 1.0, "cloth", False, ("pillow sham", "duvet clip set")),
        Thing("espresso machine", 245, 16, "bar", (9, 12, 15, 20), 0.8, "metal", True, ("portafilter", "steam wand", "drip tray")),
        Thing("cutting board", 27, 3.6, "inch", (9, 12, 15, 18, 24), 1.1, "wood", False, ("board oil", "rubber foot set")),
        Thing("toaster oven", 96, 14, "liter", (9, 14, 18, 25, 32), 0.7, "metal", True, ("baking tray", "wire rack")),
        Thing("bookshelf", 124, 38, "inch", (30, 40, 48, 60, 72), 0.8, "wood", False, ("shelf pin set", "wall bracket")),
    )),
    "Tools_and_Garden": (0.14, (
        Thing("cordless drill", 92, 3.6, "volt", (8, 12, 18, 20, 24), 0.7, "metal", True, ("drill chuck", "battery charger")),
        Thing("socket set", 57, 7, "piece", (24, 40, 72, 108, 192), 0.6, "blade", False, ("ratchet handle", "storage tray")),
        Thing("work light", 35, 2.5, "lumen", (500, 1000, 2000, 4000, 8000), 0.4, "metal", True, ("magnetic base", "light hook")),
        Thing("circular saw", 115, 9, "inch", (4.5, 5.5, 6.5, 7.25), 0.9, "metal", True, ("saw blade", "rip fence")),
        Thing("garden hose", 41, 6, "foot", (15, 25, 50, 75, 100), 0.7, "flex", False, ("hose nozzle", "tap connector")),
        Thing("tool chest", 138, 42, "inch", (18, 22, 26, 36), 1.2, "metal", False, ("drawer liner", "caster wheel set")),
    )),
    "Electronics": (0.11, (
        Thing("bluetooth speaker", 63, 1.9, "watt", (5, 10, 20, 40, 60), 0.6, "shell", True, ("carry case", "charging cable")),
        Thing("power bank", 31, 0.8, "mAh", (5000, 10000, 20000, 30000), 0.6, "shell", True, ("silicone sleeve", "charging cable")),
        Thing("mechanical keyboard", 78, 2.2, "key", (61, 68, 87, 104), 0.7, "shell", True, ("keycap set", "wrist rest")),
        Thing("external drive", 84, 0.6, "GB", (250, 500, 1000, 2000, 4000), 0.6, "shell", True, ("drive pouch", "adapter cable")),
        Thing("projector", 265, 5, "lumen", (200, 400, 700, 1200, 2000), 0.5, "shell", True, ("ceiling mount", "remote control")),
    )),
    "Sports_and_Outdoors": (0.08, (
        Thing("camping tent", 126, 8, "person", (1, 2, 3, 4, 6, 8), 0.6, "flex", False, ("ground sheet", "tent pole", "peg bag")),
        Thing("yoga mat", 29, 3, "millimeter", (3, 4, 6, 8, 12), 0.5, "flex", False, ("carry strap", "mat towel")),
        Thing("hiking backpack", 84, 3.4, "liter", (18, 28, 40, 55, 70), 0.7, "flex", False, ("rain cover", "hip belt")),
        Thing("adjustable dumbbell", 142, 30, "pound", (15, 25, 40, 52, 70), 0.8, "metal", False, ("dumbbell stand", "locking pin")),
    )),
    "Office_Products": (0.04, (
        Thing("standing desk", 284, 72, "inch", (40, 48, 55, 63, 71), 0.9, "wood", True, ("cable tray", "control panel")),
        Thing("desk organizer", 23, 2.1, "slot", (4, 6, 8, 12), 0.5, "wood", False, ("drawer insert", "pen cup")),
        Thing("office chair", 158, 34, "inch", (17, 19, 21, 24), 0.8, "cloth", False, ("seat cushion", "gas cylinder")),
    )),
    "Musical_Instruments": (0.03, (
        Thing("acoustic guitar", 196, 4.4, "inch", (30, 36, 38, 41), 0.9, "wood", False, ("string set", "tuning peg")),
        Thing("digital piano", 430, 26, "key", (49, 61, 76, 88), 1.1, "shell", True, ("sustain pedal", "music stand")),
        Thing("condenser microphone", 92, 1.1, "millimeter", (14, 16, 25, 34), 0.7, "shell", True, ("shock mount", "pop filter")),
    )),
}  # fmt: skip
"""Category -> share of rows, things."""

MATERIALS: dict[str, tuple[tuple[str, float], ...]] = {
    "metal": (("brushed stainless steel", 1.2), ("die-cast aluminum", 1.0), ("painted steel", 0.82), ("ABS plastic", 0.64),
    ("polished copper", 1.6)),
    "pan": (("enameled cast iron", 1.35), ("raw cast iron", 0.85), ("carbon steel", 1.0), ("nonstick aluminum", 0.7),
    ("copper core", 1.7)),
    "blade": (("chrome vanadium steel", 1.1), ("high carbon steel", 1.25), ("plain steel", 0.7), ("layered damascus steel", 1.8)),
    "woven": (("seagrass", 1.0), ("willow", 1.2), ("cotton rope", 0.85), ("plastic cord", 0.55)),
    "cloth": (("washed linen", 1.45), ("merino wool", 1.8), ("organic cotton", 1.05), ("brushed polyester", 0.6), ("acrylic knit", 0.7)),
    "wood": (("solid walnut", 1.7), ("solid oak", 1.35), ("bamboo", 0.9), ("beech veneer", 0.85), ("particle board", 0.55)),
    "flex": (("ripstop nylon", 1.15), ("waxed canvas", 1.45), ("natural rubber", 1.1), ("PVC", 0.65), ("recycled polyester", 0.9)),
    "shell": (("milled aluminum", 1.4), ("magnesium alloy", 1.6), ("ABS plastic", 0.75), ("walnut and steel", 1.5),
    ("recycled plastic", 0.85)),
}  # fmt: skip
"""Kind of stuff -> (material, factor on the price)."""

BRANDS: tuple[tuple[str, float, str], ...] = (
    ("Halden", 1.65, ""), ("Orrivel", 1.8, ""), ("Castrane", 1.5, ""), ("Velmont", 1.45, ""), ("Aurelby", 1.7, ""),
    ("Brightmoor", 1.0, ""), ("Tessaly", 1.05, ""), ("Nordvik", 1.1, ""), ("Pinecroft", 0.95, ""), ("Marlowe", 1.0, ""),
    ("Quillon", 0.9, ""), ("Ostrava Home", 1.0, ""), ("Kestrel", 1.05, ""), ("Lumora", 0.95, ""), ("Fernhill", 1.0, ""),
    ("Zupko", 0.6, ""), ("Maxivo", 0.65, ""), ("Bestio", 0.55, ""), ("Tenlo", 0.62, ""), ("Yukara", 0.7, ""), ("Dealmar", 0.58, ""),
    ("Dornfeld", 0.95, "Tools_and_Garden"), ("Sontari", 0.9, "Electronics"), ("Campira", 0.85, "Sports_and_Outdoors"),
    ("Melodane", 0.9, "Musical_Instruments"), ("Rivetto", 1.0, "Home_and_Kitchen"),
)  # fmt: skip
"""(brand, factor, the category in which it is a name worth 1.9 times more)."""

SERIES = (("", 1.0), ("Essential", 0.82), ("Classic", 1.0), ("Plus", 1.12), ("Pro", 1.35), ("Signature", 1.55))
CONDITIONS = (("", 1.0), ("Renewed", 0.7), ("Open Box", 0.84), ("For Parts or Repair", 0.28))
COLORS = (
    "matte black",
    "ivory",
    "slate gray",
    "forest green",
    "navy",
    "terracotta",
    "sage",
    "white",
    "charcoal",
    "sand",
    "burgundy",
    "teal",
)
PEOPLE = ("beginners", "small apartments", "busy families", "weekend projects", "students", "people who cook every day", "shared studios",
          "cold mornings", "long trips", "narrow rooms", "demanding users", "gift givers", "first homes", "workshops",
          "vacation houses")  # fmt: skip

INTRO = (
    "Meet the {brand} {series} {thing}, made for {people} and for anyone who is tired of replacing cheap gear every year.",
    "{brand} has built this {series} {thing} with {people} in mind; the {color} finish fits in almost anywhere.",
    "A {thing} is something you touch every day, so {brand} gave its {series} model a {color} finish and careful edges.",
    "If {people} are what you have in mind, this {color} {thing} from {brand} is an honest choice in the {series} line.",
    "Designed around {people}, the {series} {thing} by {brand} comes in {color} and is ready to use out of the box.",
    "This {color} {thing} belongs to the {series} range of {brand} and was planned together with {people}.",
    "Looking for a {thing} that lasts? {brand} makes the {series} range for {people}, here in {color}.",
)
MATERIAL = (
    "The body is {material} throughout.",
    "Everything you can see and touch is {material}.",
    "It is made of {material}, checked by hand before it is packed.",
    "We use {material} here because it keeps its shape.",
    "Main material: {material}.",
)
CONTRAST = (
    "It has the look of {other}, but it is {material}.",
    "Unlike our {other} edition, which is sold on its own page, this one is {material}.",
    "Some sellers promise {other}; to be clear, what you get here is {material}.",
    "The picture in our brochure shows the {other} version, this listing is for {material}.",
)
SIZE = (
    "At {sizes} it is {judged} in the family.",
    "Size: {sizes}, {judged} among those we offer.",
    "With {sizes} it handles what it was bought for.",
    "You are looking at the {size} version; other sizes have their own listings.",
    "{sizes} is the figure that matters most for this {thing}.",
)
PACKED = ("The box holds {pack} identical pieces.", "You receive {pack} of them in one carton.", "Sold as a set of {pack}, not singly.")
ACCESSORY = (
    "This listing is for the {part} only; the {thing} itself, shown for scale, is not part of the delivery.",
    "A spare {part} that fits the {size} {material} {thing}; the machine is not included.",
    "Lost or worn? This {part} brings your {thing} back to work. No {thing} in the box.",
)
POWER_IN = ("Cable, battery and a quick charger are included.", "Comes with battery and charger, so nothing else has to be bought.")
POWER_OUT = ("Battery and charger are not included.", "Bare unit: please note that charger and battery have to be bought apart.")
STATE = {
    "Renewed": ("Returned by a customer, repaired and tested at our bench; light scratches are possible.",
    "A renewed unit with a 90 day promise."),
    "Open Box": ("The seal is broken and the box was opened, the contents were never used.", "Open box from a shop display, complete."),
    "For Parts or Repair": ("It does not switch on and is offered for parts or repair.",
    "Sold as defective, for people who can repair it."),
}  # fmt: skip
SEALED = ("Factory sealed, not a renewed unit.", "New, never an open box.", "Brand new and never repaired.")
NOT_SERIES = ("Please compare: the {other} version has its own listing.", "This is not the {other} version.")
GENERAL = (
    "Our small team answers questions within {a} hours, on weekends too.",
    "Every carton is made of recycled paper and opens without a knife.",
    "The idea came from a reader of our newsletter who had tried {a} others before.",
    "A printed guide in {b} languages explains the first steps with drawings.",
    "We test one piece out of every {a} by hand and write the date on the label.",
    "It has been part of our catalog for {b} years and was revised twice since.",
    "Wipe it with a damp cloth after use and let it dry before you put it away.",
    "Spare parts stay available for at least {b} years after the last one leaves the shop.",
    "The color can look slightly different on a screen than it does by daylight.",
    "Most owners tell us that it takes about {a} minutes to get used to it.",
    "There is no strong smell when you unpack it, something we check with every batch.",
    "It stands firmly on tables that are not quite level thanks to small adjustable feet.",
    "Keep the receipt: registration adds {b} months to the warranty at no charge.",
    "In our own kitchen and workshop {a} of them have been in use since the first sample.",
    "It fits through a standard door and into the trunk of a small car.",
    "The edges are rounded so that sleeves and fingers do not catch on them.",
)
BULLETS = (
    "EASY TO CLEAN - smooth surfaces, no hidden corners, done in {a} minutes",
    "WEIGHT - the whole thing weighs {weight} pounds and can be carried by one person",
    "WARRANTY - {b} years on materials and workmanship, handled without long letters",
    "QUIET - measured at {a} decibels from the next room",
    "THOUGHTFUL GIFT - arrives in a plain {color} box with a card you can write on",
    "DIMENSIONS - about {a} by {b} by {c} inches, please measure your space first",
    "STURDY - tested with {c} pounds of load for {a} hours in a row",
    "SAFE - rounded corners, stable base, and a surface that stays cool to the touch",
    "SIMPLE SETUP - {b} screws, one tool, and a drawing that people understand",
    "MADE TO BE REPAIRED - every wearing part can be changed with a screwdriver",
    "COLOR - {color}, matched to the rest of the {series} range",
    "SAVES SPACE - folds, stacks or hangs, and needs only {b} inches on the shelf",
    "FOR {people} - asked for by many of them in the last {b} years",
    "LOOKED AFTER - {brand} replaces anything that arrives damaged within {a} days",
)
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
