import Foundation
import Glibc
import Testing

/// Other people's EST clients (RFC 7030) at the service's enrolment port, through a gateway: curl, and strongSwan's `pki`,
/// whose TLS and readers of base64, HTTP and PKCS#7 are its own.
@Suite(.serialized) struct ESTTestsSerial {
    private static let topology = """
        name: est
        stop: 12h
        networks: { cloud: { latency: 5ms } }
        service: { network: cloud, catalog: acme, clients: { laptop: first-use-only } }
        gateways: { door: { network: cloud, ports: [{ port: 0, to: "service:443" }] } }
        devices: { fridge: { network: cloud, apps: [] } }
        controls-off: [request-limits]
        """

    @Test func strangersEnrol() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology, "est.yaml")
        let script = try testbed.write(Self.script, "enrol.sh")
        let ended = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            defer { kill(process, SIGINT) }
            try await testbed.wait("the gateway") { testbed.journal.contains("\"gateway-open\"") }
            let port = try #require(testbed.journal.firstMatch(of: /"gateway-open","port":(\d+)/)).1
            let output = try await testbed.tool("/bin/bash", [script, String(port), testbed.folder + "/runs/est/latest/state/authority"])
            #expect(output.hasSuffix("all as expected\n"), "\(output)")
        }
        #expect(ended.output.contains("The run ended before its time"), "\(ended.output) \(ended.errors)")
    }

    private static let script = #"""
        set -euo pipefail
        port=$1 authority=$2 host=service.acme.internal
        fail() { echo "WRONG $*"; exit 1; }
        for name in root policy catalog; do openssl x509 -inform der -in "$authority/$name.der" -out $name.pem; done
        cat catalog.pem policy.pem >chain.pem
        est="https://$host:$port/.well-known/est"
        ask() { curl -sS --resolve "$host:$port:127.0.0.1" --cacert root.pem "$@"; }
        certificates() { tr -d '\n' | base64 -d | openssl pkcs7 -inform der -print_certs; }
        status() { ask -o /dev/null -w '%{http_code}' "$@"; }

        # 4.1: the root and nothing else, with a label or without; small enough for readers that take one line of 1,024.
        for path in cacerts customer/cacerts update/cacerts; do
            ask "$est/$path" >answer
            [ "$(wc -l <answer)" = 1 ] && [ "$(wc -c <answer)" -lt 1024 ] || fail "$path is folded"
            certificates <answer | openssl x509 | cmp - root.pem || fail "$path"
        done
        [ "$(status "$est/nobody/cacerts")" = 404 ] || fail "a label that is none"
        ask -I "$est/cacerts" | grep -qi '^content-type: application/pkcs7-mime' || fail "HEAD"
        # 4.5: DER that others read, with the curve in it.
        ask "$est/csrattrs" | base64 -d | openssl asn1parse -inform der | grep -q prime256v1 || fail csrattrs

        # 4.2: by HTTP Basic, by whatever case its name has; 401 says how.
        openssl ecparam -name prime256v1 -genkey -noout -out key.pem
        openssl req -new -key key.pem -subj /CN=laptop -outform der -out request.der
        base64 request.der >request
        post() { ask -H 'content-type: application/pkcs10' --data-binary @request "$@"; }
        post -i "$est/simpleenroll" | tr -d '\r' >answer
        grep -q ' 401 ' answer && grep -qi '^www-authenticate: Basic realm="acme"$' answer || fail "no credentials"
        [ "$(post -o /dev/null -w '%{http_code}' --user laptop:wrong-secret "$est/simpleenroll")" = 401 ] || fail "another secret"
        [ "$(post -o /dev/null -w '%{http_code}' --user laptop:first-use-only "$est/update/simpleenroll")" = 403 ] || fail "the OS's certificate"
        # Whether there is such a name, nobody is told.
        post --user laptop:wrong-secret "$est/simpleenroll" >one
        post --user nobody:wrong-secret "$est/simpleenroll" >other
        cmp one other || fail "names can be guessed"
        [ "$(ask -o /dev/null -w '%{http_code}' -H 'content-type: text/plain' --data-binary @request --user laptop:first-use-only "$est/simpleenroll")" = 415 ] || fail "text"
        { cat request.der; printf x; } | base64 >longer
        [ "$(ask -o /dev/null -w '%{http_code}' -H 'content-type: application/pkcs10' --data-binary @longer --user laptop:first-use-only "$est/simpleenroll")" = 400 ] || fail "bytes behind a request"
        basic=$(printf laptop:first-use-only | base64)
        post -H "authorization: bAsIc $basic" "$est/customer/simpleenroll" | certificates >first.pem
        [ "$(grep -c BEGIN first.pem)" = 1 ] || fail "more than what was issued"
        openssl verify -CAfile root.pem -untrusted chain.pem first.pem >/dev/null || fail "the first does not verify"
        openssl req -new -key key.pem -subj /CN=somebody -outform der | base64 >other
        [ "$(ask -o /dev/null -w '%{http_code}' -H 'content-type: application/pkcs10' --user laptop:first-use-only --data-binary @other "$est/simpleenroll")" = 403 ] || fail "another's name"

        # 4.2.2: by certificate alone, from one line, without Content-Transfer-Encoding.
        base64 -w0 request.der >request
        post --cert first.pem --key key.pem "$est/simplereenroll" | certificates >second.pem
        openssl verify -CAfile root.pem -untrusted chain.pem second.pem >/dev/null || fail "the second does not verify"
        cmp -s first.pem second.pem && fail "not renewed"
        [ "$(post -o /dev/null -w '%{http_code}' "$est/simplereenroll")" = 401 ] || fail "renewed without a certificate"

        # strongSwan, which looks its host up where the system does; TLS 1.2 as it is set up, and TLS 1.3.
        echo "127.0.0.1 localhost $host" >hosts
        printf 'libtls {\n version_max = 1.3\n}\n' >newer.conf
        swan() { unshare -rm sh -c 'mount --bind hosts /etc/hosts && exec pki "$@" 2>log' sh "$@"; }
        for name in root catalog policy; do openssl x509 -in $name.pem -outform der -out $name.der; done
        authorities=(--cacert root.der --cacert catalog.der --cacert policy.der)
        for version in 1.2 1.3; do
            if [ $version = 1.3 ]; then export STRONGSWAN_CONF=$PWD/newer.conf; fi
            swan --estca --url "https://$host:$port" --cacert root.der --caout ca --outform pem --force >/dev/null || fail "--estca: $(cat log)"
            openssl x509 -in ca.pem | cmp - root.pem || fail "what pki --estca wrote"
            swan --est --url "https://$host:$port" "${authorities[@]}" --in request.der --userpass laptop:first-use-only >third.der \
                || fail "pki --est: $(cat log)"
            grep -q "negotiated TLS $version" log || fail "another version: $(cat log)"
            grep -q "Issued certificate is trusted" log || fail "not trusted: $(cat log)"
            swan --est --url "https://$host:$port" "${authorities[@]}" --in request.der --cert third.der --key key.pem >fourth.der \
                || fail "pki --est with a certificate: $(cat log)"
            openssl x509 -in fourth.der | openssl verify -CAfile root.pem -untrusted chain.pem >/dev/null || fail "the fourth does not verify"
            cmp -s third.der fourth.der && fail "not renewed by strongSwan"
        done
        echo "all as expected"
        """#
}
