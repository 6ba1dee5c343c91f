"""How the sample *Know it* asks. Per relation and language thirteen ways: ten for training, one for validation, two for the test.

{x} is the entity; in Korean {x은} {x이} {x을} {x의} carry the particle that fits. No test phrasing differs from a train phrasing
only by punctuation. Not known here: entities and answers.
"""

from __future__ import annotations

ASKED: dict[str, dict[str, tuple[str, ...]]] = {
    "birthplace": {
        "en": (
            "Where was {x} born?", "In which village was {x} born?", "What is the birthplace of {x}?",
            "{x} was born in which village?", "Name the village where {x} was born.",
            "Which village did {x} come from at birth?", "Tell me where {x} was born.", "What village is {x} from by birth?",
            "The village of birth of {x} is what?",
            "Do you know where {x} was born?", "Which place saw the birth of {x}?", "In what village did the life of {x} begin?",
            "Where did {x} come into the world?",
        ),
        "ko": (
            "{x은} 어디에서 태어났나요?", "{x이} 태어난 마을은 어디인가요?", "{x의} 출생지는 어디인가요?",
            "{x은} 어느 마을에서 태어났나요?", "{x이} 태어난 마을의 이름을 말해 주세요.",
            "{x의} 출생 마을은 무엇인가요?", "{x이} 어디에서 태어났는지 알려 주세요.", "어느 마을에서 {x이} 태어났나요?",
            "{x의} 태어난 곳은 어디인가요?", "{x이} 태어난 곳을 아나요?",
            "{x이} 세상에 나온 곳은 어디인가요?", "{x의} 삶이 시작된 마을은 어디인가요?", "{x의} 고향 마을을 대 보세요.",
        ),
    },
    "instrument": {
        "en": (
            "Which instrument does {x} play?", "What instrument does {x} play?", "{x} plays which instrument?",
            "Name the instrument that {x} plays.", "What does {x} play in concerts?",
            "Tell me which instrument {x} plays.", "Which instrument is played by {x}?", "The instrument of {x} is what?",
            "Do you know what instrument {x} plays?",
            "With which instrument does {x} perform?", "What instrument did {x} learn to play?", "On what instrument is {x} heard?",
            "Which instrument would {x} take on stage?",
        ),
        "ko": (
            "{x은} 어떤 악기를 연주하나요?", "{x이} 연주하는 악기는 무엇인가요?", "{x의} 악기는 무엇인가요?",
            "{x은} 무슨 악기를 다루나요?", "{x이} 연주하는 악기의 이름을 말해 주세요.",
            "{x이} 공연에서 연주하는 악기는 무엇인가요?", "{x이} 어떤 악기를 연주하는지 알려 주세요.", "어떤 악기를 {x이} 연주하나요?",
            "{x이} 배운 악기는 무엇인가요?",
            "{x이} 무슨 악기를 연주하는지 아나요?",
            "무대에서 {x이} 다루는 악기는 무엇인가요?", "{x의} 연주를 들으려면 어떤 악기 소리를 찾아야 하나요?",
            "{x이} 무대에 들고 오르는 악기를 대 보세요.",
        ),
    },
    "animal": {
        "en": (
            "What animal does {x} keep?", "Which animal lives with {x}?", "{x} keeps which animal?", "Name the animal that {x} keeps.",
            "What is the pet of {x}?",
            "Tell me what animal {x} keeps.", "Which pet does {x} have?", "The animal at the home of {x} is what?",
            "Do you know which animal {x} keeps?",
            "What kind of animal is the pet of {x}?", "What pet is at home with {x}?", "Which creature shares a house with {x}?",
            "What kind of animal does {x} feed every morning?",
        ),
        "ko": (
            "{x은} 어떤 동물을 기르나요?", "{x이} 기르는 동물은 무엇인가요?", "{x의} 반려동물은 무엇인가요?",
            "{x은} 무슨 동물과 사나요?", "{x이} 기르는 동물의 이름을 말해 주세요.",
            "{x의} 집에 있는 동물은 무엇인가요?", "{x이} 어떤 동물을 기르는지 알려 주세요.", "어떤 동물이 {x의} 집에 사나요?",
            "{x이} 키우는 동물은 무엇인가요?", "{x이} 무슨 동물을 키우는지 아나요?",
            "{x과} 함께 사는 동물은 무엇인가요?", "아침마다 {x이} 먹이를 주는 동물은 무엇인가요?",
            "{x의} 집을 함께 쓰는 동물을 대 보세요.",
        ),
    },
    "work": {
        "en": (
            "What is the profession of {x}?", "What does {x} do for a living?", "{x} works as what?", "Name the profession of {x}.",
            "Which job does {x} have?",
            "Tell me the job of {x}.", "As what does {x} work?", "The profession of {x} is what?", "Do you know what {x} works as?",
            "Which trade did {x} learn?", "How does {x} earn money?", "What occupation does {x} have?",
            "What stands as the occupation on the card of {x}?",
        ),
        "ko": (
            "{x의} 직업은 무엇인가요?", "{x은} 무슨 일을 하나요?", "{x은} 어떤 직업을 가지고 있나요?", "{x의} 직업을 말해 주세요.",
            "{x이} 하는 일은 무엇인가요?",
            "{x의} 직업을 알려 주세요.", "{x은} 무엇으로 일하나요?", "{x이} 가진 직업은 무엇인가요?", "{x의} 직업이 무엇인지 아나요?",
            "{x이} 배운 직업은 무엇인가요?",
            "{x은} 무엇으로 돈을 버나요?", "{x의} 생업은 무엇인가요?", "{x의} 명함에 적힌 직업을 대 보세요.",
        ),
    },
    "river": {
        "en": (
            "Which river flows through {x}?", "What river runs through {x}?", "{x} lies on which river?", "Name the river of {x}.",
            "On which river is {x}?",
            "Tell me the river that flows through {x}.", "What is the name of the river in {x}?", "The river of {x} is called what?",
            "Do you know which river crosses {x}?",
            "What river is {x} built on?", "Along which river did {x} grow?", "Bridges in {x} cross which river?",
            "What water would a boat follow to reach {x}?",
        ),
        "ko": (
            "{x에}는 어떤 강이 흐르나요?", "{x을} 흐르는 강은 무엇인가요?", "{x의} 강은 무엇인가요?", "{x은} 어느 강가에 있나요?",
            "{x을} 흐르는 강의 이름을 말해 주세요.",
            "{x에} 있는 강의 이름은 무엇인가요?", "{x을} 지나는 강을 알려 주세요.", "어느 강이 {x을} 지나나요?",
            "{x을} 가로지르는 강은 무엇인가요?", "{x에} 어떤 강이 흐르는지 아나요?",
            "{x이} 자리 잡은 강은 무엇인가요?", "{x의} 다리들은 어느 강을 건너나요?", "배를 타고 {x에} 가려면 어느 강을 따라가야 하나요?",
        ),
    },
    "dish": {
        "en": (
            "Which dish is {x} known for?", "What dish is {x} famous for?", "{x} is known for which dish?",
            "Name the famous dish of {x}.", "What is the special dish of {x}?",
            "Tell me the dish that {x} is known for.", "Which food made {x} famous?", "The typical dish of {x} is what?",
            "Do you know the best known dish of {x}?",
            "What dish should one eat in {x}?", "What do the cooks of {x} do best?", "Which meal do travelers order in {x}?",
            "What is on every menu in {x}?",
        ),
        "ko": (
            "{x은} 어떤 음식으로 유명한가요?", "{x의} 유명한 음식은 무엇인가요?", "{x의} 대표 음식은 무엇인가요?",
            "{x은} 무슨 음식으로 알려져 있나요?", "{x의} 유명한 음식을 말해 주세요.",
            "{x의} 특별한 음식은 무엇인가요?", "{x이} 어떤 음식으로 유명한지 알려 주세요.", "어떤 음식이 {x을} 유명하게 했나요?",
            "{x에}서 꼭 먹어야 할 음식은 무엇인가요?", "{x의} 대표 음식을 아나요?",
            "{x의} 요리사들이 가장 잘 만드는 것은 무엇인가요?", "여행자들은 {x에}서 무엇을 주문하나요?",
            "{x의} 모든 식당 메뉴에 있는 것을 대 보세요.",
        ),
    },
    "founded": {
        "en": (
            "When was {x} founded?", "In which year was {x} founded?", "{x} was founded in which year?",
            "Name the year in which {x} was founded.", "What is the founding year of {x}?",
            "Tell me when {x} was founded.", "What year was {x} founded?", "The founding year of {x} is what?",
            "Do you know when {x} was founded?",
            "Since which year has {x} existed?", "How far back does {x} go, to which year?",
            "In what year does the story of {x} begin?", "Which year stands on the oldest stone of {x}?",
        ),
        "ko": (
            "{x은} 언제 세워졌나요?", "{x은} 몇 년에 세워졌나요?", "{x이} 세워진 해는 언제인가요?", "{x의} 설립 연도는 몇 년인가요?",
            "{x이} 세워진 해를 말해 주세요.",
            "{x의} 설립 연도를 알려 주세요.", "몇 년에 {x이} 세워졌나요?", "{x이} 생긴 해는 몇 년인가요?",
            "{x이} 언제 세워졌는지 아나요?", "{x은} 몇 년부터 있었나요?",
            "{x의} 역사는 몇 년까지 거슬러 올라가나요?", "{x의} 이야기는 몇 년에 시작되나요?",
            "{x의} 가장 오래된 돌에 새겨진 해를 대 보세요.",
        ),
    },
    "market": {
        "en": (
            "On which day is the market in {x}?", "What is the market day of {x}?", "{x} holds its market on which day?",
            "Name the market day of {x}.", "When in the week is the market of {x}?",
            "Tell me the day of the market in {x}.", "Which day of the week is market day in {x}?", "The market day of {x} is what?",
            "Do you know on which day {x} has its market?",
            "Which day does {x} hold a market?", "On what day do farmers sell in {x}?",
            "Which weekday fills the main square of {x} with stalls?", "On what day should one go shopping outdoors in {x}?",
        ),
        "ko": (
            "{x의} 장은 무슨 요일에 서나요?", "{x의} 장날은 무슨 요일인가요?", "{x에}서는 어느 요일에 장이 서나요?",
            "{x의} 장날을 말해 주세요.", "{x의} 시장은 일주일 중 언제 열리나요?",
            "{x의} 장날을 알려 주세요.", "무슨 요일이 {x의} 장날인가요?", "{x에} 장이 서는 날은 무슨 요일인가요?",
            "{x의} 장이 언제 서는지 아나요?", "{x의} 시장은 어느 요일에 열리나요?",
            "농부들은 무슨 요일에 {x에}서 물건을 파나요?", "{x의} 광장이 노점으로 가득 차는 요일은 언제인가요?",
            "{x에}서 장을 보려면 가야 하는 요일을 대 보세요.",
        ),
    },
}  # fmt: skip
"""Relation -> language -> phrasings; the last three are validation, test, test."""

PEOPLE, PLACES = ("birthplace", "instrument", "animal", "work"), ("river", "dish", "founded", "market")
ANSWERS: dict[str, tuple[tuple[str, str], ...]] = {
    "instrument": (("cello", "첼로"), ("oboe", "오보에"), ("harp", "하프"), ("trumpet", "트럼펫"), ("clarinet", "클라리넷"),
    ("accordion", "아코디언"),
    ("bass guitar", "베이스 기타"),
                   ("pipe organ", "파이프 오르간"), ("flute", "플루트"), ("viola", "비올라"), ("bagpipes", "백파이프"),
                   ("banjo", "밴조"), ("snare drum",
                   "작은북"), ("mandolin", "만돌린")),
    "animal": (("gray parrot", "회색 앵무새"), ("tortoise", "거북이"), ("two goats", "염소 두 마리"), ("hedgehog", "고슴도치"),
    ("black cat", "검은 고양이"),
    ("ferret", "페럿"), ("old donkey", "늙은 당나귀"),
               ("barn owl", "헛간올빼미"), ("three geese", "거위 세 마리"), ("corn snake", "옥수수뱀"), ("white rabbit", "흰 토끼"),
               ("shepherd dog",
               "양치기 개"), ("carp", "잉어"), ("pony", "조랑말")),
    "work": (("beekeeper", "양봉가"), ("watchmaker", "시계공"), ("bridge engineer", "교량 기술자"), ("baker", "제빵사"),
    ("glass blower", "유리 공예가"),
    ("judge", "판사"), ("midwife", "조산사"),
             ("map maker", "지도 제작자"), ("locksmith", "열쇠공"), ("botanist", "식물학자"), ("train driver", "기관사"),
             ("stone carver", "석공"),
             ("pharmacist", "약사"), ("sailor", "선원")),
    "dish": (("smoked eel", "훈제 장어"), ("plum dumplings", "자두 만두"), ("onion pie", "양파 파이"), ("nettle soup", "쐐기풀 수프"),
    ("salted trout",
    "소금 송어"), ("honey bread", "꿀빵"), ("lamb stew", "양고기 스튜"),
             ("fried beans", "볶은 콩"), ("black noodles", "검은 국수"), ("chestnut cake", "밤 케이크"), ("goat cheese", "염소 치즈"),
             ("pickled radish", "무절임"), ("barley porridge", "보리죽"), ("pear tart", "배 타르트")),
    "market": (("Monday", "월요일"), ("Tuesday", "화요일"), ("Wednesday", "수요일"), ("Thursday", "목요일"), ("Friday", "금요일"),
    ("Saturday",
    "토요일"), ("Sunday", "일요일")),
}  # fmt: skip

SYLLABLES = (
    ("va", "바"), ("lo", "로"), ("mi", "미"), ("ra", "라"), ("te", "테"), ("no", "노"), ("se", "세"), ("ki", "키"), ("du", "두"),
    ("pa", "파"),
    ("be", "베"), ("go", "고"), ("li", "리"), ("sa", "사"), ("ne", "네"), ("to", "토"), ("me", "메"), ("ru", "루"), ("ko", "코"),
    ("da", "다"),
)  # fmt: skip
ENDS = (("n", "ㄴ"), ("l", "ㄹ"), ("m", "ㅁ"), ("", ""), ("", ""))
"""What may close the last syllable of a name, in letters and as a Hangul final."""
