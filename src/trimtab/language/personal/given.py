"""Common given names of many languages, as evidence that a word names a person; and words that only may be one."""

from __future__ import annotations

import unicodedata

_ENGLISH = (
    "aaron abigail adam adrian aidan alan albert alec alex alexander alexandra alexis alfred alice alison allan "
    "allison amanda amelia amy andrea andrew andy angela angus anita ann anna anne annie anthony antonia "
    "archibald arnold arthur ashley audrey barbara barry beatrice becky ben benjamin bernard beth bethany betty "
    "beverly billy bob bobby bonnie brad bradley brandon brenda brian bridget bruce bryan caitlin cameron carl "
    "carol caroline carolyn catherine cathy cecilia charles charlie charlotte cheryl chloe chris christian "
    "christina christine christopher cindy claire clara clare clifford colin connor craig crystal curtis cynthia "
    "daniel danielle darren dave david dean deborah debra denise dennis derek diana diane dominic donald donna "
    "doris dorothy doug douglas duncan dylan edith edmund edward edwin eileen elaine eleanor elizabeth ella ellen "
    "ellie elliot emily emma eric erica erin ernest ethan eugene eva evan evelyn fiona florence frances francis "
    "frank fred frederick gabriel gail gareth gary gavin gemma geoffrey george georgia gerald geraldine gilbert "
    "gillian gina glenn gloria gordon graham greg gregory guy hannah harold harriet harry hayley heather hector "
    "helen henry herbert hilary holly howard hugh hugo ian irene isaac isabel isabella isobel ivan jack jackie "
    "jacob jacqueline jake james jamie jane janet janice jason jasmine jean jeff jeffrey jennifer jenny jeremy "
    "jerry jesse jessica jill jim jimmy joan joanna joanne jodie joe joel john johnny jon jonathan jordan joseph "
    "josephine joshua joyce juan judith judy julia julian julie justin karen karl kate katherine kathleen kathryn "
    "kathy katie keith kelly ken kenneth kevin kim kimberly kirsty kyle larry laura lauren laurence lawrence leah "
    "lee leigh leo leon leonard leslie lewis liam lillian linda lindsay lisa liz logan lorraine louis louise "
    "lucas lucy luke lydia lynn madeleine madison malcolm marcus margaret maria marian marie marilyn marion "
    "marjorie mark martha martin mary matilda matt matthew maureen maurice max megan melanie melissa mia michael "
    "michelle mike mildred miranda molly monica morgan muriel nancy naomi natalie natasha nathan nathaniel neil "
    "nicholas nicola nicole nigel noah noel nora norma norman olive oliver olivia oscar owen pamela patricia "
    "patrick paul paula pauline peggy penelope percy peter phil philip phillip phoebe phyllis rachel ralph "
    "raymond rebecca reginald rhys richard ricky rita rob robert robin rodney roger roland ronald rory rosalind "
    "rosemary ross roy russell ruth ryan sally sam samantha samuel sandra sara sarah scott sean sebastian shane "
    "shannon sharon shaun sheila shirley sidney simon sophia sophie spencer stacey stanley stella stephanie "
    "stephen steve steven stewart stuart susan suzanne sybil sylvia tamara tanya teresa terence terry tess "
    "theodore theresa thomas tiffany tim timothy tina toby todd tom tommy tony tracey tracy trevor tristan tyler "
    "valerie vanessa vera veronica vicky victor victoria vincent virginia vivian walter wanda warren wayne wendy "
    "wesley wilfred william winifred yvonne zachary zoe"
)
_GERMANIC = (
    "achim agnes andreas anders anja anke annette annika anton antje arne arnd astrid axel beate benedikt bernd "
    "bernhard birgit bjorn brigitte britta carsten charlotta christa christoph clemens cornelia dagmar detlef "
    "dieter dirk doro eberhard ebba eckhard edda elke elsa else erik erika ernst esther eugen ewa felix femke "
    "florian franz frieda friedrich fritz gerd gerda gerhard gertrud gisela greta gudrun gunnar gunter gustav "
    "hanna hanne hannes hans harald hartmut hedwig heike heiko heiner heinrich heinz helga helge helmut henning "
    "henrik herbert hermann hilde hildegard horst hubert ida ilse ines inga ingeborg inger ingrid irmgard isolde "
    "jana jannik jens joachim jochen johan johann johanna johannes jonas jorg jorgen josef jurgen jutta kai karin "
    "karla karolina karsten katarina katharina kathrin katja kerstin kirsten kjell klaus konrad kristian kristin "
    "kristina kurt lars lasse lena lennart linnea lothar lotte ludwig lukas lutz magda magnus maike maj manfred "
    "manuela maren margit margot margarete marianne marko markus marlene marta martina mats matthias mette mikael "
    "mikkel monika moritz nadine nadja niels niklas nils ole olaf olof oskar ottilie otto paulina per petra "
    "philipp pia ragnhild rainer ralf reinhard renate roswitha rolf rudiger rudolf rune sabine sander sanne "
    "sascha sigrid silke silvia siv solveig soren stefan stefanie steffen sten stig susanne sven svenja tanja "
    "thea thorsten tilman tobias torben torsten trine udo ulf ulla ulrich ulrike ursula ute uwe veit volker "
    "waltraud werner wiebke wilhelm willem wolfgang wouter bram daan geert gerrit hendrik jaap jeroen joost joris "
    "kees koen maarten marieke pieter roos ruud sjoerd thijs tineke aino eero eino heikki jari juha jukka kaarina "
    "kalevi kari liisa matti mika pekka pirjo sari tapio timo tuula ville bjarne einar eirik freja kirstine kare "
    "leif marit oddvar oystein sigurd signe tor tove trygve"
)
_ROMANCE = (
    "agathe aicha alain alejandro alessandro alessia alfonso alfredo alvaro amelie ana andres angelo antoine "
    "antonella antonio arnaud aurelie aurora beatriz benoit bernadette brigida bruno camila camille carla carlo "
    "carlos carmen catarina cecile cedric celine cesar chantal chiara claudia claudio claudine concetta corinne "
    "cristian cristiana cristina cyril daniela davide delphine denis didier diego dolores domenico dominique "
    "eduardo elena elisa elodie emanuele emilia emilio emmanuel enrico enrique enzo esteban estelle etienne "
    "eugenia fabien fabio fabrice federica federico felipe fernanda fernando filippo flavia florent francesca "
    "francesco francisco franck francois francoise frederic gabriela gabriella gaelle genevieve giacomo gianluca "
    "giovanna giovanni giorgio giulia giulio giuseppe gonzalo guillaume guillermo gustavo helena helene henri "
    "herve hortense ignacio ines isabelle jacques javier jerome jesus joaquin jorge jose joao josefa josiane "
    "juana juliana julie julien julio laetitia laurent leandro leonardo leticia lorenzo luc lucia luciana luciano "
    "lucie luigi luis luisa manuel manon marc marcel marcela marcello marco margarita mariana marina mario marisa "
    "marisol marta mateo mathieu matteo mauro maxime mercedes michel michele miguel mireille monique nathalie "
    "nicolas noemie odile olivier pablo paola paolo pascal patrice paulo pedro philippe pierre pilar pietro "
    "rafael rafaela ramon raquel raul remi renata renaud rene ricardo riccardo roberta roberto rocio rodrigo "
    "rogerio romain rosa rosario ruben salvador salvatore santiago sebastien sergio serge silvana simone sofia "
    "solange sonia stefano stephane susana sylvain sylvie thiago thierry tiago tomas umberto valentina valeria "
    "vicente vincenzo virginie vittorio xavier yann yves yvette"
)
_SLAVIC_AND_MORE = (
    "agata agnieszka aleksandar aleksander aleksandra aleksei alexei anastasia andrej andrei andrzej aneta "
    "antonin arkady barbora bartosz beata bogdan bohdan boris bozena branko cezary czeslaw dariusz denisa dimitri "
    "dmitri dmitry dorota dragan dusan edyta ekaterina elzbieta eliska evgeny ewa filip galina goran grzegorz "
    "halina hana henryk igor ilya irina ivana ivo iwona jadwiga jakub jan janusz jarmila jaroslav jelena jerzy "
    "jindrich jiri joanna josip jovana jozef juri justyna kamil karel karolina katarzyna kazimierz kinga "
    "konstantin krystyna krzysztof ksenia leszek libor ludmila lubomir lukasz maciej magdalena malgorzata marek "
    "mariusz marija marketa mateusz maksim michal mikhail mila milan milena milos miroslav mladen nadezhda "
    "natalia nikita nikola nikolai nina oksana oleg olga pavel petar petr piotr radoslaw radek renata roman "
    "ryszard sergei sergey slavko slawomir snezana sonja stanislav stanislaw svetlana tadeusz tatiana tereza "
    "tomasz tomislav urszula vaclav valentin vasily vesna viktor viktoria vladimir vladislav vojtech waclaw wanda "
    "wieslaw wojciech yaroslav yulia yuri zbigniew zdenek zdenka zofia zoran zuzana balazs bela eszter ferenc "
    "gabor gyorgy imre istvan janos jozsef katalin laszlo magda marton miklos orsolya sandor tamas zoltan zsolt "
    "zsofia alexandru ioana ionut mihai radu vasile andris ilze janis kestutis vytautas kadri maarika tiit toomas "
    "urmas aristides dimitra dimitris eleni giorgos ioannis kostas nikos panagiotis stavros vasilis"
)
_ASIAN_AND_AFRICAN = (
    "abdul abdullah abebe abu adebayo aditi aditya ahmed aisha ajay akash akiko akira alejandra ali alisha amina "
    "amir amit amara anand anil anita anjali ankit arjun aroon arun asha ashok aslihan ayse aylin ayumi aziz "
    "babajide babak bilal burak can cem chandra chidi chinedu chioma daisuke deepak deepika devi dilip divya ebru "
    "elif emeka emine emre fadi faisal farah farid farhan fatima fatma funmilayo gaurav gita habib haider hamid "
    "hana haruki haruto hassan hideo hiroko hiroshi huda hussein ibrahim imran indira ismail jamal jamila javed "
    "jin joon jun kamal kareem karim kaori kavita keiko kenji khadija khalid kiran kofi kumar kwame lakshmi laila "
    "latif layla leila lei li ling mahmoud mai malik manish mariam masako mehmet mei meera miguel min ming "
    "mohamed mohammad mohammed mohan muhammad murat mustafa nadia naoko nasser neha nikhil nisha noor nour "
    "olufemi omar oluwaseun osman parvati pooja prakash pradeep priya rachid rahul raj rajesh ram ramesh rana "
    "rani rashid ravi reza ritu rohan rohit sakura salim samir samira sana sandeep sanjay sanjeev sato selim "
    "shankar shirin sina sita sunil sunita suresh takashi takeshi tariq tendai thabo thandi tomoko tuan usman "
    "vijay vikram vinod wei xiao xin yang yasmin yasmine yasuko yoko youssef yuki yumi yusuf zahra zainab zanele "
    "zeynep"
)
GIVEN = frozenset(" ".join((_ENGLISH, _GERMANIC, _ROMANCE, _SLAVIC_AND_MORE, _ASIAN_AND_AFRICAN)).split())
"""Given names, small and without marks: `plain` makes a word comparable with them."""

# Names that are words, places or brands as well: alone they are no evidence.
_AMBIGUOUS_WORDS = (
    "amber april aurora austin brad brandon can chandra chase charlotte christian crystal dean devi florence "
    "france georgia guy heather holly hope jack jasmine jean jordan june kim lee li ling logan ma madison mai "
    "major mark max may mercedes mia mila milan min ming morgan olive pat per phoenix ram rob robin rose ross "
    "ruby sally sana sandy santiago scott sidney stella sydney tess tim tor tory tony valencia victor victoria "
    "virginia will xiao yang"
)
AMBIGUOUS = frozenset(_AMBIGUOUS_WORDS.split())


def plain(word: str) -> str:
    """A word as the lists have it: small, without the marks on its letters (NFKD), ø as o and ł as l."""
    small = word.lower().replace("ø", "o").replace("ł", "l")
    if small.isascii():
        return small
    return "".join(c for c in unicodedata.normalize("NFKD", small) if not unicodedata.combining(c))


def given(word: str) -> bool:
    """Whether a word is a common given name, whatever else it may be."""
    return plain(word.strip(".,'’")) in GIVEN


def surely_given(word: str) -> bool:
    """Whether a word is a common given name and hardly anything else."""
    return given(word) and plain(word.strip(".,'’")) not in AMBIGUOUS
