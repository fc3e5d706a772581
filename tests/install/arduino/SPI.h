/* SPI.h - see Arduino.h: there is no bus here. */
