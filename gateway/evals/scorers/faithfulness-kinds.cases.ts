import { byContext, type Case } from "./kinds.cases";

const ordinals = byContext(`
Der Vertrag wurde am 3. Oktober 1990 unterzeichnet. | Der Vertrag wurde am 3. Oktober 1990 unterzeichnet. ; Der Vertrag wurde am 03.10.1990 unterzeichnet. ; Der Vertrag wurde am 3. 10. 1990 unterzeichnet. | Der Vertrag wurde am 3. November 1990 unterzeichnet. ; Der Vertrag wurde nicht am 3. Oktober 1990 unterzeichnet. ; Der Vertrag wurde am 4. Oktober 1990 unterzeichnet.
Der 1. FC Köln wurde 1948 gegründet und spielt in der 2. Bundesliga. | Der 1. FC Köln wurde 1948 gegründet. ; Der 1. FC Köln spielt in der 2. Bundesliga. | Der 2. FC Köln wurde 1948 gegründet. ; Der 1. FC Köln spielt in der 3. Bundesliga.
Am 24. Dezember schließt das Amt um 12 Uhr, vgl. Abs. 3 Nr. 5. | Am 24. Dezember schließt das Amt um 12 Uhr. | Am 24. November schließt das Amt um 12 Uhr.
Den 5. maj 2001 åbnede museet i København. | Den 5. maj 2001 åbnede museet i København. | Den 5. juni 2001 åbnede museet i København.
Muzeum bylo otevřeno 5. května 2001 v Praze. | Muzeum bylo otevřeno 5. května 2001 v Praze. | Muzeum bylo otevřeno 5. června 2001 v Praze.
Die Kosten umfassen z. B. Porto und Verpackung. | Die Kosten umfassen z. B. Porto und Verpackung. | Die Kosten umfassen z. B. Strom und Heizung.
Das Gebäude wurde von Dr. Müller im 19. Jahrhundert gebaut. | Das Gebäude wurde im 19. Jahrhundert gebaut. | Das Gebäude wurde im 18. Jahrhundert von Dr. Müller gebaut.
Symphony No. 5 was written by L. van Beethoven in 1808. | Symphony No. 5 was written in 1808. ; L. van Beethoven wrote Symphony No. 5. | Symphony No. 7 was written in 1808.
`);

const replacements = byContext(`
Paris is the capital of France. It has 2.1 million inhabitants. | The capital of France is Paris. ; Paris has 2,100,000 inhabitants. | Lyon is the capital of France. ; Paris is the capital of Germany. ; The capital of France is London [1]. ; Paris is the capital of France [1]. It has 12 million inhabitants [1].
Revenue was €3.4 million in the third quarter. | In the third quarter, revenue was €3.4 million. | Revenue was €3.4 billion in the third quarter. ; Revenue was €3.4 million in the first quarter.
Three of the five judges agreed. | Three of the five judges agreed. ; 3 of the 5 judges agreed. | Five of the five judges agreed. ; Two of the five judges agreed. ; Three of the six judges agreed.
Three of the five judges agreed in May. All five of the five judges agreed in June. | Three of the five judges agreed in May. ; All five of the five judges agreed in June. | Four of the five judges agreed in May.
The patient's blood group is AB−. | The patient's blood group is AB−. | The patient's blood group is A−. ; The patient's blood group is AB positive.
The dose is 500 mg per day. | The dose is 500 mg per day. ; The dose is 500 mg a day. | The dose is 500 mg per week. ; The dose is 500 mg per hour. ; The dose is 500 mg weekly.
Temperatures below −20 °C damage the sensor. | Temperatures below −20 °C damage the sensor. | Temperatures above −20 °C damage the sensor. ; Temperatures below 20 °C damage the sensor.
Dr. Smith was born in St. Louis. | Dr. Smith was born in St. Louis. | Dr. Smith was born in St. Paul. ; Dr. Jones was born in St. Louis.
The company was founded by Anna Berg in Oslo. | The company was founded by Anna Berg. ; Anna Berg founded the company in Oslo. | The company was founded by Peter Berg. ; The company was founded by Anna Berg in Stockholm.
The tax was raised for the second time in 2010. | The tax was raised for the second time in 2010. | The tax was raised for the first time in 2010. ; The tax was raised for the third time in 2010.
The league began in the 2018-2019 season. | The league began in the 2018-2019 season. | The league began in the 2017–18 season.
Robert Miller moved to Boston in 1990. | Rob Miller moved to Boston in 1990. ; In 1990 Robert Miller moved to Boston. | Robert Miller moved to Denver in 1990.
`);

const negations = byContext(`
Das Museum öffnet um 9.30 Uhr und schließt um 18 Uhr. | Das Museum öffnet um 9.30 Uhr. | Das Museum öffnet nicht um 9.30 Uhr.
Das Museum öffnet am Dienstag, am Montag ist es nicht geöffnet. | Das Museum öffnet am Dienstag. ; Am Montag ist es nicht geöffnet. | Am Montag ist es geöffnet.
Es ist erlaubt. | Es ist erlaubt. | Es ist keinesfalls erlaubt. ; Es ist nicht erlaubt.
Dieses Medikament ist nicht sicher. | Dieses Medikament ist nicht sicher. | Dieses Medikament ist sicher.
Keine Haustiere sind im Hotel erlaubt. | Keine Haustiere sind im Hotel erlaubt. ; Haustiere sind im Hotel nicht erlaubt. | Haustiere sind im Hotel erlaubt.
Nació el 5 de enero de 1967 en Madrid. | Nació en Madrid. | No nació en Madrid.
Este medicamento no es seguro. | Este medicamento no es seguro. | Este medicamento es seguro.
Le prix est de 1 234,50 €. | Le prix est de 1 234,50 €. | Le prix n'est pas de 1 234,50 €.
Paris est la capitale de la France. | Paris est la capitale de la France. | Paris n'est pas la capitale de la France.
Il museo è aperto la domenica. | Il museo è aperto la domenica. | Il museo non è aperto la domenica.
O museu abre aos domingos. | O museu abre aos domingos. | O museu não abre aos domingos.
Het museum is open op zondag. | Het museum is open op zondag. | Het museum is niet open op zondag.
公司成立于1998年，总部在北京。 | 公司成立于1998年。 ; 总部在北京。 | 公司不是成立于1998年。 ; 总部不在北京。 ; 公司未成立。
这种药不安全。 | 这种药不安全。 | 这种药安全。
이 약은 안전합니다. | 이 약은 안전합니다. | 이 약은 안전하지 않습니다. ; 이 약은 안 안전합니다.
هذا الدواء آمن. | هذا الدواء آمن. ; هٰذا ٱلدواء آمن. | هذا الدواء ليس آمنا. ; هذا الدواء غير آمن.
この薬は安全です。 | この薬は安全です。 | この薬は安全ではありません。 ; この薬は安全ではない。
この薬は安全ではありません。 | この薬は安全ではありません。 | この薬は安全です。
Это лекарство безопасно. | Это лекарство безопасно. | Это лекарство небезопасно. ; Это лекарство не безопасно.
Only members over 18 may vote. | Members over 18 may vote. ; Only members over 18 may vote. | Members over 18 may not vote.
The hotel was opened in 1937. | The hotel was opened in 1937. | The hotel was closed in 1937. ; The hotel was not opened in 1937.
He raised money with a nonprofit group in May. | He raised money with a non-profit group in May. ; He raised money with a nonprofit group in May. | He raised money with a profit group in May.
The method is safe for children. | The method is safe for children. | The method is unsafe for children.
It is a film for fans and non-fans. | It is a film for fans. | It is not a film for fans.
`);

const talk = byContext(`
Paris is the capital of France. It has 2.1 million inhabitants. | Great question! The capital of France is Paris. ; What a great question! Paris is the capital of France. ; Thanks for asking. Paris is the capital of France. Let me know if you need more! ; Here is what I found: Paris is the capital of France. ; **Answer:** Paris ; I think it is Paris. ; Probably Paris. ; As far as I know, Paris is the capital of France. ; To the best of my knowledge, it is Paris. ; <think>The user asks about France. London is not it.</think>Paris is the capital of France. ; Paris is the capital of France. Hope that helps! ; The capital of France is Paris. If you have any other questions, just ask. ; The capital of France is Paris. Would you like to know more? ; Happy to help! Paris is the capital of France. ; Paris is the capital of France. Don't hesitate to ask further questions. ; Certainly! Paris is the capital of France. Have a great day! | Great question! The capital of France is Lyon. ; I think it is Lyon. ; Probably Lyon. ; As far as I know, Lyon is the capital of France. ; <think>Paris is the capital of France.</think>Berlin is the capital of Spain. ; Here is what I found: Rome is the capital of Spain. ; Great Britain has 2.1 million inhabitants. ; Let me know the price. Bread costs 5 euros. ; Thanks to Peter, it is free.
Paris is the capital of France. It has 2.1 million inhabitants. | Paris is the capital of France :contentReference[oaicite:0]{index=0}. ; Paris is the capital of France.【4:0†source】 ; Paris is the capital of France:contentReference[oaicite:1]{index=1} | Lyon is the capital of Spain :contentReference[oaicite:0]{index=0}.
Paris ist die Hauptstadt von Frankreich. | Laut Dokument 1 ist Paris die Hauptstadt von Frankreich. ; Gemäß den Unterlagen ist Paris die Hauptstadt von Frankreich (Quelle 1). ; Nach den Angaben im Kontext ist Paris die Hauptstadt von Frankreich. ; Gute Frage! Paris ist die Hauptstadt von Frankreich. ; Paris ist die Hauptstadt von Frankreich. Ich hoffe, das hilft! | Laut Dokument 1 ist Lyon die Hauptstadt von Frankreich. ; Laut Meier ist Rom die Hauptstadt von Spanien.
Madrid es la capital de España. | Según el documento, Madrid es la capital de España. ; De acuerdo con el contexto, Madrid es la capital de España. ; Según los documentos 1 y 2, Madrid es la capital de España. | Según el documento, Sevilla es la capital de España.
Paris est la capitale de la France. | Selon le document, Paris est la capitale de la France. ; D’après les documents fournis, Paris est la capitale de la France. ; Bonne question ! Paris est la capitale de la France. | Selon le document, Lyon est la capitale de la France.
Admission is free on Sundays. It is good for children. | Admission is free on Sundays. ; It is good for children. | It is bad for dogs. ; Admission is never free on Sundays.
The value in the table is Who's Afraid of Virginia Woolf? | The value in the table is Who's Afraid of Virginia Woolf? | The value in the table is The Zoo Story. ; What is the value in the table?
`);

const ongoing = byContext(`
The app does not store passwords on the device, because they are kept in the keychain of the system. | The app does not store passwords on the device. ; Passwords are not stored on the device. ; Passwords are kept in the keychain of the system. | The app stores passwords on the device. ; The app does store passwords on the device. ; Passwords are stored on the device.
Refunds are granted within 30 days of purchase if the box is sealed. | Refunds are granted within 30 days of purchase. ; Refunds are granted if the box is sealed. | Refunds are not granted within 30 days of purchase. ; Refunds are never granted within 30 days of purchase.
Pets are not allowed in the hotel, although guide dogs may stay in the rooms of their owners. | Pets are not allowed in the hotel. ; Guide dogs may stay in the rooms of their owners. | Pets are allowed in the hotel. ; Guide dogs may not stay in the rooms of their owners.
The museum is open on Mondays, but the café is not open before noon. | The museum is open on Mondays. ; The café is not open before noon. | The museum is not open on Mondays. ; The café is open before noon.
You don't need a visa for stays of up to 90 days, provided that your passport is valid for six months. | You don't need a visa for stays of up to 90 days. ; A visa is not needed for stays of up to 90 days. | You need a visa for stays of up to 90 days. ; A visa is needed for stays of up to 90 days.
The warranty does not cover water damage, which has to be repaired at the owner's expense. | The warranty does not cover water damage. ; Water damage is not covered by the warranty. ; Water damage has to be repaired at the owner's expense. | The warranty covers water damage. ; Water damage is covered by the warranty.
The board not only approved the merger but also raised the dividend for the third time. | The board approved the merger. ; The board also raised the dividend for the third time. | The board did not approve the merger.
The vaccine is not approved for children under five, since there are no data for this age group. | The vaccine is not approved for children under five. ; There are no data for this age group. | The vaccine is approved for children under five.
The library was never closed during the war, when it served as a shelter for the people of the district. | The library was never closed during the war. ; The library served as a shelter during the war. | The library was closed during the war.
Employees may work from home on two days a week unless their manager objects. | Employees may work from home on two days a week. ; Employees may work from home unless their manager objects. | Employees may not work from home on two days a week.
Because the bridge was not damaged by the flood, trains could run again on the next morning. | The bridge was not damaged by the flood. ; Trains could run again on the next morning. | The bridge was damaged by the flood. ; Trains could not run again on the next morning.
The free plan includes support by email, while phone calls are not included in it. | The free plan includes support by email. ; Phone calls are not included in it. | The free plan does not include support by email. ; Phone calls are included in it.
Der Vertrag kann nicht vor Ablauf von zwei Jahren gekündigt werden, weil er eine feste Laufzeit hat. | Der Vertrag kann nicht vor Ablauf von zwei Jahren gekündigt werden. ; Der Vertrag hat eine feste Laufzeit. | Der Vertrag kann vor Ablauf von zwei Jahren gekündigt werden.
La garantía no cubre los daños por agua, ya que estos se consideran mal uso del aparato. | La garantía no cubre los daños por agua. | La garantía cubre los daños por agua.
The study did not find an effect of the drug on sleep; it did find an effect on appetite. | The study did not find an effect of the drug on sleep. ; The study did find an effect on appetite. | The study did find an effect of the drug on sleep.
The token expires after one hour and cannot be renewed, so that clients have to sign in again. | The token expires after one hour. ; The token cannot be renewed. ; Clients have to sign in again. | The token can be renewed. ; The token does not expire after one hour.
Unused leave can be carried over until 31 March, but it is not paid out. | Unused leave can be carried over until 31 March. ; Unused leave is not paid out. | Unused leave is paid out. ; Unused leave cannot be carried over until 31 March.
Adults may take 300 mg every four hours, but no more than 4 g per day. | Adults may take no more than 4 g per day. ; Adults may take 300 mg every four hours. | Adults may not take 300 mg every four hours.
There is no charge for cancellations made at least 24 hours before arrival; later ones cost one night. | There is no charge for cancellations made at least 24 hours before arrival. | There is a charge for cancellations made at least 24 hours before arrival.
`);

/** Kinds of faults in answers that are compared with contexts. */
export const FAITHFULNESS_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "an ordinal or abbreviation ends no sentence": ordinals,
  "a number, name or unit in place of the context's": replacements,
  "courtesies, hedges, citations and attributions are no claims": talk,
  "a negation that the context lacks, in many languages": negations,
  "a reversed clause of a longer sentence": ongoing,
};
