// C++ as it comes: containers, streams, exceptions, threads, and the SDK's headers.
#include <applibs/adc.h>
#include <applibs/application.h>
#include <applibs/applications.h>
#include <applibs/certstore.h>
#include <applibs/eventloop.h>
#include <applibs/gpio.h>
#include <applibs/i2c.h>
#include <applibs/log.h>
#include <applibs/networking.h>
#include <applibs/powermanagement.h>
#include <applibs/pwm.h>
#include <applibs/rtc.h>
#include <applibs/spi.h>
#include <applibs/storage.h>
#include <applibs/sysevent.h>
#include <applibs/uart.h>
#include <applibs/wificonfig.h>
#include <soc/mt3620_gpios.h>
#include <soc/mt3620_i2cs.h>
#include <soc/mt3620_spis.h>
#include <soc/mt3620_uarts.h>
#include <tlsutils/deviceauth.h>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

struct Static {
    std::string word = "made before main";
    ~Static() { Log_Debug("and gone after it\n"); }
};
static Static early;

int main() {
    std::map<std::string, int> numbers{{"two", 2}, {"one", 1}};
    for (auto &[word, number] : numbers) std::cout << word << " is " << number << "\n";
    std::cout << early.word << ", root " << std::sqrt(2.25) << std::endl;
    try {
        throw std::runtime_error("caught");
    } catch (const std::exception &error) {
        Log_Debug("%s\n", error.what());
    }
    auto shared = std::make_shared<int>(0);
    std::thread([shared] { *shared = 7; }).join();
    Log_Debug("thread %d, pin %d, port %d\n", *shared, GPIO_OpenAsInput(MT3620_GPIO12), MT3620_UART_ISU0);
    return 0;
}
