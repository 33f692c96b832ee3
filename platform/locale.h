/* Language of the words for people: the message catalogue, found beside the program or where it is installed. */
#ifndef MQ_PLATFORM_LOCALE_H
#define MQ_PLATFORM_LOCALE_H

/* Once at the start of each program, before threads: takes the language from LC_ALL, LC_MESSAGES, LANG and LANGUAGE;
 * numbers keep their plain form. Chinese appears also on a machine that has no Chinese locale installed. */
void mq_locale_start(void);

#endif
