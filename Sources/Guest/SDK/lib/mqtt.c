#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tlsutils/mqtt.h>
#include <unistd.h>

/* Section 2.2: types of packets, in the upper half of the first byte. */
enum { CONNECT = 1, CONNACK, PUBLISH, PUBACK, SUBSCRIBE = 8, SUBACK, PINGREQ = 12, PINGRESP, DISCONNECT };
enum { LONGEST = 4096, WAITING = 4 };

struct message {
    size_t bytes;
    uint8_t *content;
};
struct Mqtt {
    int socket;
    uint16_t next_id;
    /* Messages that came while an answer was waited for. */
    struct message waiting[WAITING];
    int waiting_count;
    uint8_t first;
    size_t length;
    uint8_t packet[LONGEST];
};

static int refuse(int error) {
    errno = error;
    return -1;
}
static int send_all(int fd, const uint8_t *bytes, size_t count) {
    while (count) {
        ssize_t sent = write(fd, bytes, count);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return -1;
        bytes += sent;
        count -= (size_t)sent;
    }
    return 0;
}
/* 1, or 0 at the end. */
static int take(int fd, uint8_t *bytes, size_t count) {
    while (count) {
        ssize_t got = read(fd, bytes, count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return (int)got;
        bytes += got;
        count -= (size_t)got;
    }
    return 1;
}

/* A packet put together: what it is, then fields. */
struct writer {
    uint8_t bytes[LONGEST + 8];
    size_t count;
};
static void put(struct writer *out, const void *bytes, size_t count) {
    if (out->count + count <= LONGEST) memcpy(out->bytes + 5 + out->count, bytes, count);
    out->count += count;
}
static void put16(struct writer *out, size_t value) {
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(out, bytes, 2);
}
static void put_text(struct writer *out, const char *text) {
    put16(out, strlen(text));
    put(out, text, strlen(text));
}
static int send_packet(int fd, uint8_t first, struct writer *out) {
    if (out->count > LONGEST) return refuse(EMSGSIZE);
    /* The length, seven bits a byte, right before the fields (2.2.3). */
    uint8_t head[3] = {first, (uint8_t)(out->count & 0x7F), (uint8_t)(out->count >> 7)};
    size_t head_bytes = out->count < 128 ? 2 : 3;
    if (head_bytes == 3) head[1] |= 0x80;
    memcpy(out->bytes + 5 - head_bytes, head, head_bytes);
    return send_all(fd, out->bytes + 5 - head_bytes, head_bytes + out->count);
}

/* The next packet: 1, 0 at the end, -1. One that is too long is read and lost. */
static int next_packet(Mqtt *mqtt) {
    uint8_t byte;
    int result = take(mqtt->socket, &mqtt->first, 1);
    if (result <= 0) return result;
    mqtt->length = 0;
    for (int shift = 0;; shift += 7) {
        if (shift > 21) return refuse(EPROTO);
        if (take(mqtt->socket, &byte, 1) <= 0) return refuse(EPROTO);
        mqtt->length |= (size_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) break;
    }
    if (mqtt->length <= LONGEST) return mqtt->length == 0 || take(mqtt->socket, mqtt->packet, mqtt->length) > 0 ? 1 : refuse(EPROTO);
    for (size_t left = mqtt->length; left;) {
        size_t count = left < LONGEST ? left : LONGEST;
        if (take(mqtt->socket, mqtt->packet, count) <= 0) return refuse(EPROTO);
        left -= count;
    }
    return refuse(EMSGSIZE);
}
static int keep(Mqtt *mqtt) {
    if (mqtt->waiting_count == WAITING) return refuse(ENOBUFS);
    uint8_t *content = malloc(mqtt->length + 1);
    if (!content) return -1;
    content[0] = mqtt->first;
    memcpy(content + 1, mqtt->packet, mqtt->length);
    mqtt->waiting[mqtt->waiting_count++] = (struct message){mqtt->length + 1, content};
    return 0;
}
/* Until a packet of a type comes; messages are kept. */
static int await(Mqtt *mqtt, uint8_t type, size_t least) {
    for (;;) {
        int result = next_packet(mqtt);
        if (result < 0) return -1;
        if (result == 0) return refuse(ECONNRESET);
        if (mqtt->first >> 4 == type) return mqtt->length >= least ? 0 : refuse(EPROTO);
        if (mqtt->first >> 4 == PUBLISH && keep(mqtt) < 0) return -1;
    }
}

Mqtt *Mqtt_Connect(int socket, const char *clientId, uint16_t keepAliveSeconds) {
    Mqtt *mqtt = calloc(1, sizeof *mqtt);
    struct writer *out = calloc(1, sizeof *out);
    int error = ENOMEM;
    if (mqtt && out && clientId) {
        mqtt->socket = socket;
        put_text(out, "MQTT");
        put(out, "\x04\x02", 2); /* version 3.1.1, a clean session */
        put16(out, keepAliveSeconds);
        put_text(out, clientId);
        error = send_packet(socket, CONNECT << 4, out) < 0 || await(mqtt, CONNACK, 2) < 0 ? errno : mqtt->packet[1] ? EACCES : 0;
    }
    free(out);
    if (error) {
        free(mqtt);
        errno = error;
        return NULL;
    }
    return mqtt;
}

int Mqtt_Publish(Mqtt *mqtt, const char *topic, const void *payload, size_t payloadBytes, int qos) {
    if (!mqtt || !topic || (!payload && payloadBytes)) return refuse(EFAULT);
    if (qos < 0 || qos > 1 || !*topic || strpbrk(topic, "+#")) return refuse(EINVAL);
    struct writer *out = calloc(1, sizeof *out);
    if (!out) return -1;
    put_text(out, topic);
    if (qos) put16(out, ++mqtt->next_id ? mqtt->next_id : ++mqtt->next_id);
    put(out, payload, payloadBytes);
    int result = send_packet(mqtt->socket, (uint8_t)(PUBLISH << 4 | qos << 1), out);
    free(out);
    if (result < 0 || !qos) return result;
    do {
        if (await(mqtt, PUBACK, 2) < 0) return -1;
    } while ((mqtt->packet[0] << 8 | mqtt->packet[1]) != mqtt->next_id);
    return 0;
}

int Mqtt_Subscribe(Mqtt *mqtt, const char *filter) {
    if (!mqtt || !filter) return refuse(EFAULT);
    struct writer *out = calloc(1, sizeof *out);
    if (!out) return -1;
    put16(out, ++mqtt->next_id ? mqtt->next_id : ++mqtt->next_id);
    put_text(out, filter);
    put(out, "\x01", 1);
    int result = send_packet(mqtt->socket, SUBSCRIBE << 4 | 2, out);
    free(out);
    if (result < 0 || await(mqtt, SUBACK, 3) < 0) return -1;
    return mqtt->packet[2] > 2 ? refuse(EACCES) : 0;
}

/* A message with quality 1 is answered (4.3.2). */
static ssize_t deliver(Mqtt *mqtt, uint8_t first, const uint8_t *packet, size_t length, char *topic, size_t topicBytes, void *payload, size_t payloadBytes) {
    size_t topic_bytes = length >= 2 ? (size_t)packet[0] << 8 | packet[1] : 0, start = 2 + topic_bytes;
    bool is_answered = (first >> 1 & 3) == 1;
    if (length < start + (is_answered ? 2 : 0)) return refuse(EPROTO);
    if (is_answered) {
        uint8_t answer[4] = {PUBACK << 4, 2, packet[start], packet[start + 1]};
        if (send_all(mqtt->socket, answer, sizeof answer) < 0) return -1;
        start += 2;
    }
    if (topic_bytes >= topicBytes || length - start > payloadBytes) return refuse(EMSGSIZE);
    memcpy(topic, packet + 2, topic_bytes);
    topic[topic_bytes] = 0;
    memcpy(payload, packet + start, length - start);
    return (ssize_t)(length - start);
}

ssize_t Mqtt_Receive(Mqtt *mqtt, char *topic, size_t topicBytes, void *payload, size_t payloadBytes) {
    if (!mqtt || !topic || !topicBytes || !payload) return refuse(EFAULT);
    if (mqtt->waiting_count) {
        struct message kept = mqtt->waiting[0];
        memmove(mqtt->waiting, mqtt->waiting + 1, sizeof kept * (size_t)--mqtt->waiting_count);
        ssize_t result = deliver(mqtt, kept.content[0], kept.content + 1, kept.bytes - 1, topic, topicBytes, payload, payloadBytes);
        int error = errno;
        free(kept.content);
        errno = error;
        return result;
    }
    for (;;) {
        int result = next_packet(mqtt);
        topic[0] = 0;
        if (result <= 0) return result;
        if (mqtt->first >> 4 == PUBLISH) return deliver(mqtt, mqtt->first, mqtt->packet, mqtt->length, topic, topicBytes, payload, payloadBytes);
    }
}

int Mqtt_Ping(Mqtt *mqtt) {
    static const uint8_t ping[2] = {PINGREQ << 4, 0};
    if (!mqtt) return refuse(EFAULT);
    return send_all(mqtt->socket, ping, sizeof ping) < 0 ? -1 : await(mqtt, PINGRESP, 0);
}

void Mqtt_Disconnect(Mqtt *mqtt) {
    static const uint8_t goodbye[2] = {DISCONNECT << 4, 0};
    if (!mqtt) return;
    send_all(mqtt->socket, goodbye, sizeof goodbye);
    while (mqtt->waiting_count) free(mqtt->waiting[--mqtt->waiting_count].content);
    free(mqtt);
}
