/* MQTT 3.1.1 (OASIS, 2014) over a socket, which Tls_Connect has made as a rule: what a device needs to tell and to be told. Calls
 * wait for the broker's answer. This header is Orrery's own. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct Mqtt Mqtt;

/* Introduces the client. NULL with errno: EACCES if the broker does not want it, EPROTO for what is no MQTT, or the socket's error.
 * The socket stays the caller's. A keep-alive of 0 means that the broker never misses the client. */
Mqtt *Mqtt_Connect(int socket, const char *clientId, uint16_t keepAliveSeconds);

/* qos 0: sent; qos 1: sent, and the broker has said that it has it. 0, or -1 with errno: EINVAL for another one, or a topic with a
 * wildcard in it; EMSGSIZE beyond 4 KiB. */
int Mqtt_Publish(Mqtt *mqtt, const char *topic, const void *payload, size_t payloadBytes, int qos);

/* EACCES if the broker refuses. */
int Mqtt_Subscribe(Mqtt *mqtt, const char *filter);

/* The next message, with a topic that ends in 0; how long its payload is. Waits for it, answers the broker's pings meanwhile; 0 bytes
 * with an empty topic when the broker has gone. EMSGSIZE for a message longer than there is room for: it is lost. */
ssize_t Mqtt_Receive(Mqtt *mqtt, char *topic, size_t topicBytes, void *payload, size_t payloadBytes);

/* Says that the client is still there. */
int Mqtt_Ping(Mqtt *mqtt);

/* Says goodbye, and frees. */
void Mqtt_Disconnect(Mqtt *mqtt);
#ifdef __cplusplus
}
#endif
