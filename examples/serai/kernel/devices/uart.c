/* The UART: input by interrupt, output by asking. */
#include "devices/uart.h"
#include "cpu/x86.h"
#include "devices/irq.h"

#define COM1 0x3F8
#define COM1_IRQ 4
enum { DATA = COM1, INTERRUPT_ENABLE = COM1 + 1, FIFO = COM1 + 2, LINE = COM1 + 3, MODEM = COM1 + 4, STATUS = COM1 + 5 };

#define STATUS_RECEIVED 0x01
#define STATUS_CAN_SEND 0x20
/* What fits once the transmitter says that it is empty. */
#define FIFO_BYTES 16

static void (*take_byte)(u8 byte);

void uart_init(void) {
  out8(INTERRUPT_ENABLE, 0);
  out8(LINE, 0x80); /* the next two are the divisor: 115200 baud */
  out8(DATA, 1);
  out8(INTERRUPT_ENABLE, 0);
  out8(LINE, 0x03);  /* 8 bits, no parity, 1 stop bit */
  out8(FIFO, 0x07);  /* FIFOs on and empty; an interrupt for each byte */
  out8(MODEM, 0x0B); /* DTR, RTS; OUT2 lets the interrupt through to the controller */
}

/* The interrupt is edge-triggered: only when all bytes are taken does the line fall, to rise again for the next. */
static void receive(void) {
  while (in8(STATUS) & STATUS_RECEIVED) take_byte(in8(DATA));
}

void uart_connect(void (*take)(u8 byte)) {
  take_byte = take;
  irq_connect(COM1_IRQ, receive);
  out8(INTERRUPT_ENABLE, 1); /* received data */
}

void uart_write(const char *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i % FIFO_BYTES == 0)
      while ((in8(STATUS) & STATUS_CAN_SEND) == 0) pause();
    out8(DATA, (u8)bytes[i]);
  }
}
