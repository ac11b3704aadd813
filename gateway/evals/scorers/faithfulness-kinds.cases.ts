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

const negatedForms = byContext(`
The deposit is non-refundable. | The deposit is non-refundable. ; The deposit is not refundable. ; The deposit isn't refundable. ; The deposit is nonrefundable. | The deposit is refundable.
The deposit is not refundable. | The deposit is non-refundable. ; The deposit is nonrefundable. | The deposit is refundable.
The deposit is refundable. | The deposit is refundable. | The deposit is non-refundable. ; The deposit is not refundable. ; The deposit is nonrefundable.
The paint is non-toxic and dries in an hour. | The paint is non-toxic. ; The paint is not toxic. ; The paint dries in an hour. | The paint is toxic. ; The paint is toxic and dries in an hour.
The non-stick pan is safe. | The non-stick pan is safe. | The non-stick pan is not safe. ; The non-stick pan is unsafe.
The records are incomplete. | The records are incomplete. ; The records are not complete. ; The records aren't complete. | The records are complete.
The form is not complete. | The form is incomplete. ; The form isn't complete. | The form is complete.
The water is unsafe for children. | The water is not safe for children. ; The water isn't safe for children. | The water is safe for children.
Employees must not share passwords. | Employees must not share passwords. ; Employees mustn't share passwords. ; Employees mustn’t share passwords. | Employees must share passwords.
Employees mustn't share passwords. | Employees must not share passwords. ; Employees mustn't share passwords. | Employees must share passwords.
Employees must share passwords. | Employees must share passwords. | Employees must not share passwords. ; Employees mustn't share passwords.
You must not smoke here. | You must not smoke here. ; You mustn't smoke here. | You must smoke here.
It shouldn't be frozen. | It should not be frozen. ; It shouldn't be frozen. | It should be frozen.
You needn't register. | You need not register. ; You needn't register. ; You don't need to register. | You need to register.
You cannot park here. | You can't park here. ; You can not park here. ; You cannot park here. | You can park here.
You can not renew it online. | You cannot renew it online. ; You can't renew it online. | You can renew it online.
The shop will not open on Sunday. | The shop won't open on Sunday. ; The shop will not open on Sunday. | The shop will open on Sunday.
The lift isn't working. | The lift is not working. ; The lift isn't working. | The lift is working.
Guests weren't charged for breakfast. | Guests were not charged for breakfast. ; Guests weren't charged for breakfast. | Guests were charged for breakfast.
Members shan't vote twice. | Members shall not vote twice. ; Members shan't vote twice. | Members shall vote twice.
It is a film for fans and non-fans. | It is a film for fans. | It is not a film for fans.
`);

const clauses = byContext(`
The vaccine is effective against measles. It is ineffective against flu. | The vaccine is effective against measles. ; The vaccine is ineffective against flu. ; It is ineffective against flu. ; It is not effective against flu. | The vaccine is effective against flu. ; The vaccine is ineffective against measles.
The policy covers theft but does not cover floods. | The policy covers theft. ; The policy does not cover floods. ; The policy covers theft but not floods. | The policy covers theft and floods. ; The policy covers floods.
The filter removes chlorine but does not remove lead. | The filter removes chlorine. ; The filter does not remove lead. ; The filter does not remove lead but removes chlorine. | The filter removes chlorine and lead. ; The filter removes lead.
The pass includes trains, but it does not include ferries. | The pass includes trains. ; The pass does not include ferries. | The pass includes ferries. ; The pass includes trains and ferries.
`);

const talk = byContext(`
Paris is the capital of France. It has 2.1 million inhabitants. | Great question! The capital of France is Paris. ; What a great question! Paris is the capital of France. ; Thanks for asking. Paris is the capital of France. Let me know if you need more! ; Here is what I found: Paris is the capital of France. ; **Answer:** Paris ; I think it is Paris. ; I'm not sure, but it is Paris. ; Probably Paris. ; As far as I know, Paris is the capital of France. ; To the best of my knowledge, it is Paris. ; <think>The user asks about France. London is not it.</think>Paris is the capital of France. ; Paris is the capital of France. Hope that helps! ; The capital of France is Paris. If you have any other questions, just ask. ; The capital of France is Paris. Would you like to know more? ; Happy to help! Paris is the capital of France. ; Paris is the capital of France. Don't hesitate to ask further questions. ; Certainly! Paris is the capital of France. Have a great day! | Great question! The capital of France is Lyon. ; I think it is Lyon. ; I'm not sure, but it is Lyon. ; Probably Lyon. ; As far as I know, Lyon is the capital of France. ; <think>Paris is the capital of France.</think>Berlin is the capital of Spain. ; Here is what I found: Rome is the capital of Spain. ; Great Britain has 2.1 million inhabitants. ; Let me know the price. Bread costs 5 euros. ; Thanks to Peter, it is free.
Paris is the capital of France. It has 2.1 million inhabitants. | Paris is the capital of France :contentReference[oaicite:0]{index=0}. ; Paris is the capital of France.【4:0†source】 ; Paris is the capital of France:contentReference[oaicite:1]{index=1} | Lyon is the capital of Spain :contentReference[oaicite:0]{index=0}.
Paris ist die Hauptstadt von Frankreich. | Laut Dokument 1 ist Paris die Hauptstadt von Frankreich. ; Gemäß den Unterlagen ist Paris die Hauptstadt von Frankreich (Quelle 1). ; Nach den Angaben im Kontext ist Paris die Hauptstadt von Frankreich. ; Gute Frage! Paris ist die Hauptstadt von Frankreich. ; Paris ist die Hauptstadt von Frankreich. Ich hoffe, das hilft! | Laut Dokument 1 ist Lyon die Hauptstadt von Frankreich. ; Laut Meier ist Rom die Hauptstadt von Spanien.
Madrid es la capital de España. | Según el documento, Madrid es la capital de España. ; De acuerdo con el contexto, Madrid es la capital de España. ; Según los documentos 1 y 2, Madrid es la capital de España. | Según el documento, Sevilla es la capital de España.
Paris est la capitale de la France. | Selon le document, Paris est la capitale de la France. ; D’après les documents fournis, Paris est la capitale de la France. ; Bonne question ! Paris est la capitale de la France. | Selon le document, Lyon est la capitale de la France.
Admission is free on Sundays. It is good for children. | Admission is free on Sundays. ; It is good for children. | It is bad for dogs. ; Admission is never free on Sundays.
The value in the table is Who's Afraid of Virginia Woolf? | The value in the table is Who's Afraid of Virginia Woolf? | The value in the table is The Zoo Story. ; What is the value in the table?
`);

const units = byContext(`
Items can be returned within 30 days of delivery. | Items can be returned within 30 days of delivery. ; You have 30 days to return items. ; Items can be returned within thirty days. ; Items can be returned within a 30-day period. | Items can be returned within 30 weeks of delivery. ; You have 30 weeks to return items. ; Items have a 30-week return period. ; Items can be returned within 30 hours of delivery. ; Items can be returned within 30 months.
The plan costs $49 per month. | The plan costs $49 per month. ; The plan costs 49 dollars per month. ; The plan is $49 a month. ; The plan costs USD 49 per month. ; The plan costs $49 monthly. ; The plan costs $588 per year. | The plan costs €49 per month. ; The plan costs £49 per month. ; The plan costs 49 euros per month. ; The plan costs 49 EUR a month. ; The plan is €49. ; The plan costs $49 per year. ; The plan costs $49 a week.
The route is 49 km long. | The route is 49 km long. ; The route is 49 kilometres long. ; It is a 49-kilometre route. ; The route is about 30 miles long. | The route is 49 miles long. ; The route is 49 m long. ; It is a 49-mile route.
The dose is 5 mg for children. | The dose is 5 mg for children. ; The dose is 5 milligrams for children. ; The dose is 0.005 g for children. | The dose is 5 g for children. ; Children get 5 µg. ; The dose is 5 ml for children.
Store the vaccine below 20 °C. | Store the vaccine below 20 °C. ; Store the vaccine below 20 degrees Celsius. ; Store the vaccine below 20 degrees. | Store the vaccine below 20 °F. ; Store the vaccine below 20 degrees Fahrenheit.
The request times out after 30 seconds. | The request times out after 30 seconds. ; The request times out after 30 s. ; The request times out after half a minute. | The request times out after 30 minutes. ; The timeout is 30 minutes. ; The request times out after 30 milliseconds. ; The request times out after 30 ms.
The session lasts 1 hour. | The session lasts 1 hour. ; The session lasts 60 minutes. ; The session lasts one hour. | The session lasts 1 day. ; The session lasts 60 seconds. ; The session lasts one minute.
Delivery takes 5 days, and refunds take 5 weeks. | Delivery takes 5 days. ; Refunds take 5 weeks. | Delivery takes 5 months.
The disk holds 500 GB and the memory is 16 GB. | The disk holds 500 GB. ; The memory is 16 gigabytes. | The disk holds 500 TB. ; The memory is 16 MB.
The trial runs for 14 days. | The trial runs for 14 days. ; The trial runs for two weeks. ; The trial runs for 2 weeks. ; The trial runs for fourteen days. | The trial runs for 14 months. ; The trial runs for 14 weeks.
The warranty is valid for two years. | The warranty is valid for two years. ; The warranty is valid for 24 months. ; There is a two-year warranty. | The warranty is valid for two months. ; The warranty is valid for two weeks. ; There is a two-month warranty.
The pump takes 0.45 litres of oil and has 5 bolts. | The pump takes 0.45 litres of oil. ; The pump takes 450 ml of oil. ; The pump has 5 bolts. ; The pump has five bolts. | 5.1 litres. ; 5.1 litres of oil ; The pump takes 5.1 litres of oil. ; 5 litres. ; The pump takes 5 litres of oil.
The tank holds 40 litres. | The tank holds 40 litres. ; The tank holds 40.0 litres. | The tank holds 40.3 litres. ; The tank holds 39.6 litres.
The crate weighs 12.8 kg. | The crate weighs 12.8 kg. ; The crate weighs 13 kg. ; The crate weighs about 13 kg. | The crate weighs 12.83 kg. ; The crate weighs 12.77 kg.
A team has 12 people. Training takes 3 full working days. | A team has 12 people. ; Training takes 3 days. ; Training takes three working days. | 12 days. ; Training takes 12 days.
The pump moves 5 litres per minute. | The pump moves 5 litres per minute. ; The pump moves 5 l/min. ; The pump moves 300 litres per hour. | The pump moves 5 litres per second. ; The pump moves 5 litres per hour. ; The pump moves 5 gallons per minute.
Die Kündigungsfrist beträgt 3 Monate. | Die Kündigungsfrist beträgt 3 Monate. | Die Kündigungsfrist beträgt 3 Wochen. ; Die Kündigungsfrist beträgt 3 Jahre. ; Die Frist beträgt 3 Tage.
El plazo es de 30 días. | El plazo es de 30 días. ; El plazo es de treinta días. | El plazo es de 30 semanas. ; El plazo es de 30 meses.
Employees get 25 days of vacation. | Employees get 25 days of vacation. ; Employees get 25 vacation days. ; Employees get twenty-five days off. | Employees get 25 weeks of vacation. ; Employees get 25 hours of vacation.
Emissions fell by 5 % in 2020. | Emissions fell by 5% in 2020. ; Emissions fell by five percent in 2020. | Emissions fell by 5 tonnes in 2020. ; Emissions fell by $5 in 2020.
The film is 90 minutes long. It was made in 90 days. | The film is 90 minutes long. ; It was made in 90 days. | It was made in 90 weeks.
In minute 5, she scored; at 5 p.m. the match ended. | In minute 5, she scored. ; At 5 p.m. the match ended. ; The match ended at 5 pm. | The match ended at 5 am.
He ran 400 metres. He was 20 years old. | He ran 400 m. ; He was 20 years old. ; The 20-year-old ran 400 metres. | He was 20 months old. ; He ran 400 miles.
`);

const versions = byContext(`
The package needs Python 3.10 or newer. | The package needs Python 3.10 or newer. ; You need Python 3.10 or later. ; Python 3.10 is needed. | The package needs Python 3.1 or newer. ; You need Python 3.1 or later. ; Python 3.1 is needed. ; The package needs Python 3.11 or newer.
The bug was fixed in version 2.10. | The bug was fixed in version 2.10. ; The bug was fixed in v2.10. ; Version 2.10 fixed the bug. | The bug was fixed in version 2.1. ; It was fixed in v2.1. ; Version 2.1 fixed the bug.
The bug was fixed in version 2.1. | The bug was fixed in version 2.1. | The bug was fixed in version 2.10. ; The bug was fixed in version 2.1.1. ; The bug was fixed in version 2.01.
The server requires TLS 1.2. | The server requires TLS 1.2. ; TLS 1.2 is required by the server. | The server requires TLS 1.20. ; The server requires TLS 1.3.
Inflation was 3.10 % in May. | Inflation was 3.10 % in May. ; Inflation was 3.1 % in May. ; In May, inflation was 3.1%. | Inflation was 3.01 % in May. ; Inflation was 31 % in May.
A coffee costs $3.10. | A coffee costs $3.10. ; A coffee costs 3.1 dollars. ; A coffee costs $3.1. | A coffee costs $31.0. ; A coffee costs $3.01.
The rating is 4.50 out of 5. | The rating is 4.50 out of 5. ; The rating is 4.5 out of 5. | The rating is 4.05 out of 5.
Install Node.js 18.20 and npm 10.5. | Install Node.js 18.20. ; Install npm 10.5. | Install Node.js 18.2.
See section 4.10 for refunds. | Refunds are in section 4.10. ; See section 4.10. | Refunds are in section 4.1. ; See section 4.1.
Ubuntu 20.04 and 22.10 are supported. | Ubuntu 20.04 is supported. ; Ubuntu 22.10 is supported. | Ubuntu 22.1 is supported. ; Ubuntu 20.4 is supported.
The average was 2.50 and the median 2.0. | The average was 2.5. ; The median was 2. ; The average was 2.50. | The average was 2.05.
GPT 4.1 was released in 2025. | GPT 4.1 was released in 2025. | GPT 4.10 was released in 2025.
Chapter 3.2 describes the setup, chapter 3.20 the tests. | Chapter 3.2 describes the setup. ; Chapter 3.20 describes the tests. | Chapter 3.200 describes the setup.
`);

const ongoing = byContext(`
The app does not store passwords on the device, because they are kept in the keychain of the system. | The app does not store passwords on the device. ; Passwords are not stored on the device. ; Passwords are kept in the keychain of the system. | The app stores passwords on the device. ; The app does store passwords on the device. ; Passwords are stored on the device.
Refunds are granted within 30 days of purchase if the box is sealed. | Refunds are granted within 30 days of purchase. ; Refunds are granted if the box is sealed. | Refunds are not granted within 30 days of purchase. ; Refunds are never granted within 30 days of purchase.
Pets are not allowed in the hotel, although guide dogs may stay in the rooms of their owners. | Pets are not allowed in the hotel. ; Guide dogs may stay in the rooms of their owners. | Pets are allowed in the hotel. ; Guide dogs may not stay in the rooms of their owners.
The museum is open on Mondays, but the café is not open before noon. | The museum is open on Mondays. ; The café is not open before noon. | The museum is not open on Mondays. ; The café is open before noon.
You don't need a visa for stays of up to 90 days, provided that your passport is valid for six months. | You don't need a visa for stays of up to 90 days. ; A visa is not needed for stays of up to 90 days. | You need a visa for stays of up to 90 days. ; A visa is needed for stays of up to 90 days.
The warranty does not cover water damage, which has to be repaired at the owner's expense. | The warranty does not cover water damage. ; Water damage is not covered by the warranty. ; Water damage has to be repaired at the owner's expense. | The warranty covers water damage. ; Water damage is covered by the warranty.
The board not only approved the merger but also raised the dividend for the third time. | The board approved the merger. ; The board also raised the dividend for the third time. | The board did not approve the merger.
It is not uncommon for the river to flood the lower town in spring, when the snow melts. | It is common for the river to flood the lower town in spring. ; It is not uncommon for the river to flood the lower town. |
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

const swaps = byContext(`
Sales rose from 5.2 million in 2019 to 5.7 million in 2020. | Sales rose from 5.2 million in 2019 to 5.7 million in 2020. ; In 2020 sales were 5.7 million, up from 5.2 million in 2019. ; In 2019, sales were 5.2 million. ; Sales were 5.7 million in 2020. ; Sales rose to 5.7 million in 2020 from 5.2 million. | Sales rose from 5.7 million in 2019 to 5.2 million in 2020. ; In 2020 sales were 5.2 million, up from 5.7 million in 2019. ; Sales were 5.7 million in 2019. ; Sales were 5.2 million in 2020.
Adults pay €12, children €6. | Adults pay €12, children €6. ; Children pay €6 and adults €12. ; Children pay €6. ; Adults pay €12. ; Children pay €6, adults €12. | Adults pay €6, children €12. ; Children pay €12 and adults €6. ; Children pay €12. ; Adults pay €6.
The basic plan costs $10 and the pro plan costs $25 per month. | The basic plan costs $10. ; The pro plan costs $25 per month and the basic plan $10. | The basic plan costs $25. ; The pro plan costs $10 per month and the basic plan $25.
Berlin has 3.7 million inhabitants and Hamburg has 1.9 million. | Hamburg has 1.9 million inhabitants. ; Hamburg has 1.9 million inhabitants and Berlin 3.7 million. | Hamburg has 3.7 million inhabitants. ; Berlin has 1.9 million inhabitants and Hamburg has 3.7 million.
The museum opens at 9:00 and closes at 17:00. | The museum closes at 17:00 and opens at 9:00. ; The museum opens at 9:00. | The museum opens at 17:00 and closes at 9:00.
She was born in 1901 and died in 1978. | She died in 1978. ; She was born in 1901. ; She died in 1978 and was born in 1901. | She was born in 1978 and died in 1901. ; She died in 1901. ; She was born in 1978.
The train leaves on 3 May and returns on 8 May. | The train returns on 8 May. ; The train leaves on 3 May. | The train leaves on 8 May and returns on 3 May.
The left tank holds 40 litres, the right tank 60 litres. | The right tank holds 60 litres. ; The left tank holds 40 litres. ; The right tank holds 60 litres and the left tank 40. | The right tank holds 40 litres. ; The left tank holds 60 litres and the right tank 40 litres.
Unemployment fell from 8.1 % in 2013 to 6.2 % in 2014. | Unemployment was 6.2 % in 2014. ; Unemployment was 8.1 % in 2013 and fell to 6.2 % in 2014. | Unemployment fell from 6.2 % in 2013 to 8.1 % in 2014. ; Unemployment was 8.1 % in 2014.
The city has 12 schools, 3 hospitals and 40 parks. | The city has 3 hospitals and 12 schools. ; The city has 40 parks, 3 hospitals and 12 schools. ; There are 12 schools in the city. | The city has 12 hospitals and 3 schools. ; The city has 40 schools and 12 parks.
Women hold 40 % of the seats, men 60 %. | Men hold 60 % of the seats. ; Men hold 60 % and women 40 % of the seats. | Women hold 60 % of the seats, men 40 %.
In the north 300 mm of rain fell, in the south 120 mm. | In the south, 120 mm of rain fell. ; 300 mm of rain fell in the north. | In the north 120 mm of rain fell, in the south 300 mm.
The Alpha engine has 90 kW, the Beta engine 110 kW. | The Beta engine has 110 kW. ; The Beta engine has 110 kW and the Alpha engine 90 kW. | The Alpha engine has 110 kW, the Beta engine 90 kW. ; The Beta engine has 90 kW.
Erwachsene zahlen 12 Euro, Kinder 6 Euro. | Kinder zahlen 6 Euro, Erwachsene 12 Euro. ; Kinder zahlen 6 Euro. | Erwachsene zahlen 6 Euro, Kinder 12 Euro.
Los adultos pagan 12 euros y los niños 6 euros. | Los niños pagan 6 euros y los adultos 12 euros. | Los adultos pagan 6 euros y los niños 12 euros.
About 71 % of the surface is covered by water; only 2.5 % of that water is fresh. | About 71 % of the surface is covered by water. ; 2.5 % of the water is fresh. | 71 % of that water is fresh.
The team won 12 of its 30 matches and drew 8. | The team won 12 of 30 matches. ; The team drew 8 matches and won 12. | The team won 8 of its 30 matches and drew 12.
`);

const styles = byContext(`
The Nile is 6,650 km long. It flows through Egypt. About 95 % of Egyptians live near it. The Aswan dam was finished on 21 July 1970. | Based on the context, the Nile is 6,650 km long [1]. It flows through Egypt [2]. ; - The Nile is 6650 km long.[1] - It flows through Egypt.[2] ; The answer is 6,650 km. ; 6,650 km ; **6,650 km** ; The Nile is **6 650 km** long (source: doc 1). ; According to the context, "The Nile is 6,650 km long." ; About 95 percent of Egyptians live near the Nile. ; The Aswan dam was finished on July 21, 1970. ; The Aswan dam was finished on 1970-07-21 [doc_3]. ; The Aswan dam was finished on 21.07.1970. ; The Aswan dam was finished in July 1970. ; From the provided passages, it can be seen that the Nile is 6,650 km long. ; The Nile (6,650 km) flows through Egypt. | Based on the context, the Nile is 6,560 km long [1]. ; 6,560 km ; The Nile flows through Sudan and Ethiopia. ; About 59 percent of Egyptians live near the Nile. ; The Aswan dam was finished on July 12, 1970. ; The Aswan dam was finished in June 1970.
Die Anmeldung ist bis zum 15. März 2024 möglich. Die Gebühr beträgt 1.250 Euro. | Die Gebühr beträgt 1250 €. ; Die Anmeldung ist bis zum 15.03.2024 möglich [1]. ; Laut Kontext beträgt die Gebühr 1.250 Euro. | Die Gebühr beträgt 1.520 Euro. ; Die Anmeldung ist bis zum 15. Mai 2024 möglich.
La inscripción está abierta hasta el 15 de marzo de 2024. La cuota es de 1.250 euros. | La cuota es de 1250 €. ; La inscripción está abierta hasta el 15/03/2024 [1]. | La cuota es de 1.520 euros. ; La inscripción está abierta hasta el 15 de mayo de 2024.
申し込みは2024年3月15日までです。料金は1,250円です。 | 料金は1250円です。 ; 申し込みは2024年3月15日までです[1]。 | 料金は1520円です。 ; 申し込みは2024年5月15日までです。
Two thirds of the members voted for the plan, a quarter against it. | Two thirds of the members voted for the plan. ; 25 % voted against it. ; 1/4 of the members voted against it. ; About 67 % of the members voted for the plan. | One third of the members voted for the plan. ; 20 % voted against it.
`);

/** Kinds of errors in answers that are compared with contexts. */
export const FAITHFULNESS_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "an ordinal or abbreviation does not end a sentence": ordinals,
  "a number, name or unit that replaces the context's is unsupported": replacements,
  "courtesies, hedges, citations and attributions make no claim": talk,
  "an added negation is unsupported, in many languages": negations,
  "negated forms are recognised: prefixes, contractions, modals": negatedForms,
  "a clause with the opposite polarity is unsupported": clauses,
  "a different unit is unsupported": units,
  "a version is not a decimal number": versions,
  "a reversed clause in a longer sentence is unsupported": ongoing,
  "exchanging the numbers of two facts is unsupported": swaps,
  "answers in the style of retrieval systems are read correctly": styles,
};
