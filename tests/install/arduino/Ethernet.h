/* Ethernet.h - see Arduino.h. */
#ifndef ETHERNET_H
#define ETHERNET_H

#include <arpa/inet.h>
#include <cerrno>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "Arduino.h"

struct IPAddress {
    IPAddress(byte a, byte b, byte c, byte d) : at{ a, b, c, d }
    {
    }
    byte at[4];
};

class EthernetShield
{
  public:
    void begin(const byte *)
    {
    }
};
inline EthernetShield Ethernet;

class EthernetClient
{
  public:
    bool connect(const IPAddress &host, uint16_t port)
    {
        sockaddr_in to{};

        stop();
        fd_ = socket(AF_INET, SOCK_STREAM, 0);
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl((uint32_t)host.at[0] << 24 | (uint32_t)host.at[1] << 16 |
                                   (uint32_t)host.at[2] << 8 | host.at[3]);
        if (fd_ >= 0 && ::connect(fd_, (const sockaddr *)&to, sizeof to) == 0)
            return true;
        stop();
        return false;
    }
    bool connected()
    {
        char c;
        ssize_t n = fd_ < 0 ? 0 : recv(fd_, &c, 1, MSG_PEEK | MSG_DONTWAIT);

        return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    }
    int available()
    {
        int n = 0;

        return fd_ >= 0 && ioctl(fd_, FIONREAD, &n) == 0 ? n : 0;
    }
    int read()
    {
        uint8_t c;

        return fd_ >= 0 && recv(fd_, &c, 1, MSG_DONTWAIT) == 1 ? c : -1;
    }
    size_t write(uint8_t c)
    {
        return put(&c, 1);
    }
    size_t print(const String &text)
    {
        return put(text.c_str(), text.length());
    }
    void stop()
    {
        if (fd_ >= 0)
            close(fd_);
        fd_ = -1;
    }

  private:
    size_t put(const void *at, size_t n)
    {
        ssize_t sent = send(fd_, at, n, MSG_NOSIGNAL);

        return sent < 0 ? 0 : (size_t)sent;
    }
    int fd_ = -1;
};

#endif
