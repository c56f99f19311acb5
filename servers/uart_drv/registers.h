/* SPDX-License-Identifier: ISC
 *
 * The registers of a 16550, as this driver's own. The one at UART_FIFO is two: what is written
 * there isn't what is read.
 */
#ifndef SERVERS_UART_DRV_REGISTERS_H
#define SERVERS_UART_DRV_REGISTERS_H

#include "libos/driver/registers.h"
#include "libos/uart_16550.h"

#define UART_REGISTERS(R)                                                                          \
    R(uart, data, UART_DATA, 8, rw)                                                                \
    R(uart, interrupts, UART_INTERRUPTS, 8, rw)                                                    \
    R(uart, fifo, UART_FIFO, 8, rw)                                                                \
    R(uart, line, UART_LINE, 8, wo)                                                                \
    R(uart, modem, UART_MODEM, 8, wo)                                                              \
    R(uart, status, UART_STATUS, 8, ro)                                                            \
    R(uart, scratch, UART_SCRATCH, 8, rw)
PORT_REGISTERS(uart, UART_REGISTERS, UART_PORTS)

#endif
