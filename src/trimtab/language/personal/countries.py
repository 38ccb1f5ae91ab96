"""Countries and what their people are called, as facts about a person that stand beside others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trimtab.language.personal.found import Found

# Country: its people or what is of it. Where none follows, no word of one form is in use.
_TABLE = (
    "afghanistan:afghan,afghani albania:albanian algeria:algerian andorra:andorran angola:angolan argentina:argentine,"
    "argentinian armenia:armenian australia:australian austria:austrian azerbaijan:azerbaijani,azeri bahamas:bahamian "
    "bahrain:bahraini bangladesh:bangladeshi barbados:barbadian belarus:belarusian belgium:belgian belize:belizean "
    "benin:beninese bhutan:bhutanese bolivia:bolivian botswana:botswanan brazil:brazilian brunei:bruneian "
    "bulgaria:bulgarian burundi:burundian cambodia:cambodian cameroon:cameroonian canada:canadian chad:chadian "
    "chile:chilean china:chinese colombia:colombian comoros:comorian congo:congolese croatia:croatian cuba:cuban "
    "cyprus:cypriot czechia:czech denmark:danish,dane djibouti:djiboutian ecuador:ecuadorian egypt:egyptian "
    "eritrea:eritrean estonia:estonian eswatini:swazi ethiopia:ethiopian fiji:fijian finland:finnish,finn "
    "france:french,frenchman gabon:gabonese gambia:gambian georgia:georgian germany:german ghana:ghanaian "
    "gibraltar:gibraltarian greece:greek greenland:greenlander,greenlandic grenada:grenadian guatemala:guatemalan "
    "guinea:guinean guyana:guyanese haiti:haitian honduras:honduran hungary:hungarian iceland:icelandic,icelander "
    "india:indian indonesia:indonesian iran:iranian iraq:iraqi ireland:irish,irishman israel:israeli italy:italian "
    "jamaica:jamaican japan:japanese jordan:jordanian kazakhstan:kazakh kenya:kenyan kiribati: kosovo:kosovar "
    "kuwait:kuwaiti kyrgyzstan:kyrgyz laos:laotian latvia:latvian lebanon:lebanese lesotho:basotho liberia:liberian "
    "libya:libyan liechtenstein: lithuania:lithuanian luxembourg:luxembourger macedonia:macedonian madagascar:malagasy "
    "malawi:malawian malaysia:malaysian maldives:maldivian mali:malian malta:maltese mauritania:mauritanian "
    "mauritius:mauritian mexico:mexican micronesia:micronesian moldova:moldovan monaco:monegasque mongolia:mongolian "
    "montenegro:montenegrin morocco:moroccan mozambique:mozambican myanmar:burmese namibia:namibian nauru:nauruan "
    "nepal:nepalese,nepali netherlands:dutch,dutchman nicaragua:nicaraguan niger:nigerien nigeria:nigerian "
    "norway:norwegian oman:omani pakistan:pakistani palau:palauan palestine:palestinian panama:panamanian "
    "paraguay:paraguayan peru:peruvian philippines:philippine,filipino,filipina poland:polish,pole portugal:portuguese "
    "qatar:qatari romania:romanian russia:russian rwanda:rwandan samoa:samoan senegal:senegalese serbia:serbian,serb "
    "seychelles:seychellois singapore:singaporean slovakia:slovak,slovakian slovenia:slovene,slovenian "
    "somalia:somali spain:spanish,spaniard sudan:sudanese suriname:surinamese sweden:swedish,swede "
    "switzerland:swiss syria:syrian taiwan:taiwanese tajikistan:tajik tanzania:tanzanian thailand:thai togo:togolese "
    "tonga:tongan tunisia:tunisian turkey:turkish,turk turkmenistan:turkmen tuvalu:tuvaluan uganda:ugandan "
    "ukraine:ukrainian uruguay:uruguayan uzbekistan:uzbek vanuatu: venezuela:venezuelan vietnam:vietnamese "
    "yemen:yemeni zambia:zambian zimbabwe:zimbabwean england:english,englishman scotland:scottish,scot,scotsman "
    "wales:welsh,welshman britain:british,briton europe:european africa:african asia:asian america:american "
    "scandinavia:scandinavian"
)
_PEOPLES_WORDS = (
    "arab kurd kurdish kurds berber jewish jew muslim christian hindu sikh buddhist shia shiite sunni catholic "
    "protestant orthodox mormon bosnian hispanic latino latina saudi emirati roma"
)
_LONG = (
    "united kingdom,united states,united states of america,great britain,northern ireland,new zealand,south "
    "africa,south korea,north korea,saudi arabia,united arab emirates,czech republic,dominican republic,costa "
    "rica,el salvador,sri lanka,ivory coast,sierra leone,burkina faso,cape verde,papua new guinea,puerto rico,san "
    "marino,hong kong,bosnia and herzegovina,trinidad and tobago,antigua and barbuda,marshall islands,solomon "
    "islands,faroe islands,equatorial guinea,east timor,north macedonia,south sudan,central african "
    "republic,vatican city,russian federation,new zealander,south african,south korean,north korean,sri "
    "lankan,costa rican,puerto rican"
)
_SHORT = ("USA", "U.S.A.", "UAE", "U.K.")
_PLACES: dict[str, frozenset[str]] = {
    name: frozenset(filter(None, people.split(",")))
    for name, _, people in (entry.partition(":") for entry in _TABLE.split(" ") if entry)
}
_PEOPLES = frozenset().union(*_PLACES.values(), _PEOPLES_WORDS.split())
# Small, these are other words.
_OTHER_WORDS = (
    "turkey china chad jordan georgia guinea polish pole poles dane swede swedes scot scots orthodox hamburger "
    "finn finns english roma jersey mali oman niger togo catholic turk swiss"
)
_OTHER = frozenset(_OTHER_WORDS.split())
_LONG_PATTERN = re.compile(
    rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, _LONG.split(',')), key=len, reverse=True))}"
    rf")(?:s(?!\w))?(?!\w)|(?<![\w.])(?:{'|'.join(map(re.escape, _SHORT))})(?!\w)",
    re.I,
)
_WORD = re.compile(r"[^\W\d_]{4,}")
# A note in brackets belongs to the name before it: Congo (Brazzaville).
_NOTE = re.compile(r" \([^\W\d_][^\W\d_ -]{2,20}\)")
_SCORE = 0.47


def countries(text: str) -> Iterator[Found]:
    """Names of countries (`LOCATION`) and of peoples, nationalities and faiths (`NRP`), all below `SURE`."""
    for match in _LONG_PATTERN.finditer(text):
        if match[0].rstrip(".").isupper() or match[0][0].isupper() or len(match[0]) > 6:
            people = match[0].lower().rstrip("s").endswith(("an", "er"))
            yield Found(*match.span(), "NRP" if people else "LOCATION", _SCORE)
    for match in _WORD.finditer(text):
        word = match[0].lower()
        if word in _OTHER and match[0][0].islower():
            continue
        if word in _PLACES:
            note = _NOTE.match(text, match.end())
            yield Found(match.start(), note.end() if note else match.end(), "LOCATION", _SCORE)
        elif word in _PEOPLES or _of_a_people(word):
            yield Found(*match.span(), "NRP", _SCORE)


def _of_a_people(word: str) -> bool:
    """Whether it is the plural of one, also where the usual one has no ending, such as a Japanese."""
    return word.removesuffix("s") in _PEOPLES or (word.endswith("es") and word[:-2] in _PEOPLES)
