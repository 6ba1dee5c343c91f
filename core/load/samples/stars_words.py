"""What reviews of the sample *Star it* are made of. {a} and {b} are two sayings about the thing, one good and one bad; the
same structure with the two exchanged is told in the same words and gives other stars.

Not known here: how often each is used.
"""

from __future__ import annotations

THINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "headset": (("the bass sounds full", "the bass sounds thin"), ("the left side never cuts out", "the left side always cuts out"),
                   ("the band sits softly", "the band sits tightly"), ("the battery outlives my day", "my day outlives the battery")),
    "coffee grinder": (("it rarely jams and always grinds", "it always jams and rarely grinds"), ("it is quiet for its price",
    "it is loud for its price"),
                       ("the lid always closes and never leaks", "the lid never closes and always leaks"), ("cleaning takes no time",
                       "cleaning takes all my time")),
    "tent": (("it kept the rain out and the air in", "it kept the air out and the rain in"), ("it never falls in wind",
    "it always falls in wind"),
             ("the zippers glide", "the zippers stick"), ("one person can pitch it", "one person can not pitch it")),
    "office chair": (("my back hurts less than before", "my back hurts more than before"), ("the wheels roll where I want",
    "the wheels roll where they want"),
                     ("the fabric breathes", "the fabric sweats"), ("the height stays where I set it",
                     "the height never stays where I set it")),
    "novel": (("the slow beginning has a quick ending", "the quick beginning has a slow ending"), ("I could not put it down",
    "I could not pick it up"),
              ("the people in it feel alive", "the people in it feel like paper"), ("the jokes land", "the jokes fall flat")),
    "phone case": (("it has survived every drop", "it has not survived a drop"), ("the buttons stay easy to press",
    "the buttons stay hard to press"),
                   ("it is slimmer than it looks", "it is bulkier than it looks"), ("the color has not faded", "the color has faded")),
    "vacuum": (("it picks up more than it leaves behind", "it leaves behind more than it picks up"), ("the cord reaches every room",
    "the cord reaches no room"),
               ("it glides around corners", "it gets stuck in corners"), ("the bin empties without dust",
               "the bin empties with a cloud of dust")),
    "rain jacket": (("it is light and not flimsy", "it is flimsy and not light"), ("my arms stay dry", "my arms stay wet"),
                    ("the hood keeps its shape", "the hood loses its shape"), ("it fits as the chart says",
                    "it does not fit as the chart says")),
    "blender": (("the ice breaks and the lid does not", "the lid breaks and the ice does not"), ("the motor stays cool",
    "the motor runs hot"),
                ("smoothies come out smooth", "smoothies come out lumpy"), ("it is heavier than it looks and stands firm",
                "it is lighter than it looks and wanders off")),
    "desk lamp": (("the light is warm and does not flicker", "the light does flicker and is not warm"), ("the arm holds its place",
    "the arm sinks slowly"),
                  ("the switch answers at the first touch", "the switch answers at the fifth touch"), ("the base is steady",
                  "the base is wobbly")),
    "backpack": (("the straps sit well", "the straps sit badly"), ("the seams hold", "the seams came apart"),
                 ("everything inside stayed dry", "not a thing inside stayed dry"), ("it is bigger than it looks",
                 "it is smaller than it looks")),
    "rice cooker": (("the rice never burns and always cooks through", "the rice always burns and never cooks through"),
    ("the pot wipes clean", "the pot needs scrubbing"),
                    ("the timer can be trusted", "the timer can not be trusted"), ("it keeps warm without drying out",
                    "it dries out without keeping warm")),
}  # fmt: skip
"""Thing -> (good, bad) sayings about the same side of it."""

OPENERS = (
    "Bought the {thing} in {month} after reading a lot of reviews.", "I have had this {thing} for {k} weeks now.",
    "This {thing} replaces one I owned for {k} years.",
    "A friend gave me the {thing} for my birthday.", "I ordered the {thing} for my {kin}.", "It took {k} days for the {thing} to arrive.",
    "We use the {thing} nearly every day.", "I compared {k} of these before I chose this {thing}.", "My {kin} and I share the {thing}.",
    "I do not write many reviews.", "The {thing} came in a plain box with a short manual.",
    "I have used the {thing} at home and at work.",
)  # fmt: skip
FILLERS = (
    "The color is the one in the picture.", "It came with a small bag.", "The manual is in {k} languages.",
    "I paid the price shown here in {month}.",
    "Shipping took {k} days.", "My {kin} tried it too.", "I measured it, and the numbers on the page are right.",
    "The box had a dent on one side.",
    "I bought it with my own money.", "I am not an expert, only somebody who owns one.", "The seller wrote to me once.",
    "There is a two year warranty.",
    "I live in a small flat with my {kin}.", "It is {k} weeks old today.", "My {kin} took the photo below.",
    "Unpacking it took {k} minutes.",
    "I read {k} other reviews, some of them older than mine.", "It stands where the one before it stood.",
    "In {month} I showed it to my {kin}.",
    "I have the one in gray.", "The parcel arrived on a {day}.", "I write this on a {day} evening.", "Ask me again in {month}.",
)  # fmt: skip

ONE_SIDED = (
    "I expected that {b}. I was wrong: {a}.",
    "For the first {k} weeks {b}. Then, one {day}, a new part came, and since then {a}. That is how it has stayed.",
    "Other people here say that {b}. Not mine: {a}, day after day.",
    "With the old one I used to tell my {kin} that {b}. With this one {a}, and I have no other word for it.",
    "I was ready to write that {b}. From {month} on I have looked for it and can not say so: {a}, every single time.",
    "My {kin} swears that {b}. I can not agree, not even a little: {a}, without exception.",
    "{A}. The page, the box and my {kin} all told me that {b}, and none of that is so.",
    "It is not true that {b}. My {kin} can tell you too that {a}, and there is nothing to set against it.",
    "The one before it taught my {kin} and me that {b}. This one taught us the opposite in {k} days: {a}. I have nothing to add.",
    "{A}, and it has been like that from the first day on. The talk that {b} is only talk.",
    "I read that {a}, and also that {b}. After {k} weeks the first is right, the second is not, and that settles it.",
    "I read that {b}, and also that {a}. After {k} weeks the second is right, the first is not, and that settles it.",
)
"""5 stars when {a} is good and {b} is bad, 1 star when it is the other way round: {b} is past, hearsay or expectation."""

WEIGHED = (
    "Yes, {b}, but what I bought it for in {month} is something else: {a}, and that weighs more.",
    "{B}, I admit. Still, {a}, and that counts for more.",
    "On the whole {a}. Only now and then {b}.",
    "Most days {a}. Once in {k} days {b}, so that is not the whole story, but nearly.",
    "One part goes against the rest: {b}. The rest is that {a}, and the rest is bigger.",
    "{A}, even if {b}. The first outweighs the second for me.",
    "{B}, even if {a}. The second outweighs the first for me.",
    "It is mostly this: {a}. It is a little of that too: {b}.",
    "My {kin} asked me to put both on a scale: that {a} is heavier than that {b}, though not by as much as I thought.",
    "For three parts out of four: {a}. For the fourth part: {b}.",
    "{A}. One thing stays on the other side of my list: {b}.",
)
"""4 stars when {a} is good and {b} is bad, 2 stars when it is the other way round: both are true today, {a} weighs more."""

EVEN = (
    "{A}, {b}, and the two cancel out.",
    "Half of me likes it and half of me does not: {a}, {b}.",
    "{A}. On the other hand {b}. I can not say which of the two weighs more.",
    "Not good, not bad: {a}, {b}.",
    "I neither praise it nor complain about it: {a}, but {b}, about as often.",
    "It could be better, it could be worse: {a}, {b}.",
    "{A} on some days, {b} on as many others, so I would call it average.",
)
"""3 stars, whichever is good."""

SARCASM = (
    "Wonderful, just what I needed: {a}. Well done.",
    "Five minutes of joy, then {a}. Great work.",
    "If you like it when {a}, this is perfect for you.",
    "I love how {a}. Really, what a treat.",
)
"""1 star in words of 5; {a} is bad."""

AGAINST = (
    "I hate that I did not buy it years ago: {a}.",
    "It is a terrible feeling to have waited so long for this: {a}.",
    "Bad news for the old one, which is in the bin by now: {a}.",
    "I looked for a fault, failed, and feel like a fool: {a}.",
)
"""5 stars in words of 1; {a} is good."""

CLOSINGS = {
    "5": ("Would I buy it again? Before lunch.", "No regrets, and no wishes left.", "I would not trade it for any other.",
    "I am done looking."),
    "4": ("A star short of everything.", "Nearly there.", "Happy with it, with that one note.", "Good, if not more than that."),
    "3": ("Fine, no more and no less.", "I would not talk anyone into it or out of it.", "Three words: it is okay."),
    "2": ("A star more than nothing.", "Not quite a failure.", "Unhappy with it, with that one note.", "Bad, if not more than that."),
    "1": ("Would I buy it again? Not before the old one, and not after.", "Regrets, and one wish left: my money.",
    "I would trade it for any other.", "I am still looking."),
}  # fmt: skip
TITLES = {
    "any": ("My experience so far", "After {k} weeks", "Not what I expected", "I was wrong about it", "An honest review",
    "About the {thing}", "For my {kin}",
            "Read this first", "Compared with the old one", "What the page does not tell", "Surprised", "{k} weeks with the {thing}",
            "To the point"),
    "5": ("Nothing to complain about", "Better than the old one", "No faults found", "Could not be better"),
    "4": ("More good than bad", "Good, not perfect", "Happy, almost", "Small things aside"),
    "3": ("Neither good nor bad", "Average", "In the middle", "Could be better, could be worse"),
    "2": ("More bad than good", "Not good, not useless", "Unhappy, almost", "Big things aside"),
    "1": ("Nothing to praise", "The old one was better", "No good found", "Could not be worse"),
}  # fmt: skip
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
KIN = ("sister", "brother", "mother", "father", "neighbor", "daughter", "son", "colleague", "roommate", "partner", "aunt", "uncle")
