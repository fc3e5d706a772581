/* Arduino.h - as much of the boards' library as the sketch of docs/CLIENTS.md uses, over POSIX,
 * so that it can be compiled and run here. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <cstdint>
#include <cstdio>
#include <string>
#include <unistd.h>

typedef uint8_t byte;

class String
{
  public:
    String(const char *text = "") : text_(text)
    {
    }
    String &operator+=(char c)
    {
        text_ += c;
        return *this;
    }
    bool operator!=(const char *other) const
    {
        return text_ != other;
    }
    bool startsWith(const char *start) const
    {
        return text_.compare(0, strlen_(start), start) == 0;
    }
    String substring(unsigned from) const
    {
        return String(from < text_.size() ? text_.substr(from).c_str() : "");
    }
    const char *c_str() const
    {
        return text_.c_str();
    }
    unsigned length() const
    {
        return (unsigned)text_.size();
    }

  private:
    static size_t strlen_(const char *at)
    {
        return std::string(at).size();
    }
    std::string text_;
};

class SerialPort
{
  public:
    void begin(long)
    {
    }
    void println(const String &text)
    {
        std::printf("%s\n", text.c_str());
        std::fflush(stdout);
    }
};
inline SerialPort Serial;

inline void delay(unsigned long ms)
{
    usleep((useconds_t)ms * 1000);
}

#endif
