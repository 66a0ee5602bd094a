import Catalogue
import Configuration
import Fabric
import Injector
import Testing
import Wire

@testable import Adversary

/// The hub is safe from what nodes are called and how many attackers come.
@Suite struct HubTests {
    private static func node(_ name: String, _ host: UInt32) -> NodeSpec {
        NodeSpec(name: name, role: .device, network: "home", address: Address(bits: 10 << 24 | host), host: "\(name).test")
    }

    private static func injector(_ names: [String]) -> Injector {
        Injector(
            ThreatConfiguration(
                setting: NodeSetting(name: "threat", seed: 1, clock: .virtual, epochSeconds: 0), names: CatalogNames(catalog: "c"),
                networks: [NetworkSpec(name: "home", latencyNanoseconds: 1_000_000)], links: [],
                nodes: names.enumerated().map { node($1, UInt32($0) + 10) }, steps: [], stop: .start + .seconds(1), loot: Loot()))
    }

    private static func begin(_ injector: inout Injector, _ names: [String]) {
        for name in ["coordinator"] + names {
            injector.receive(.hello(Hello(node: name, generation: 0, publicIdentity: "")), from: PeerName.of(name, 0), now: .start)
        }
    }

    @Test func aNodeCanBeCalledAsTheNetworkCallsItself() {
        let names = ["7", "network", "plan"]
        var injector = Self.injector(names)
        Self.begin(&injector, names)
        var journal: [Observation] = []
        for _ in 0..<100 where !injector.isFinished {
            injector.advance(now: .start)
            for (peer, frame) in injector.takeOutgoing() {
                switch frame {
                case .grant(let grant):
                    let facts = grant.deliveries.map { Effect(at: $0.at, sequence: $0.sequence, action: .observe(Fact(.osReady))) }
                    injector.receive(.yield(Yield(effects: facts, nextWork: .never, nextSend: .never)), from: peer, now: .start)
                case .journal(let more): journal += more
                default: break
                }
            }
        }
        #expect(injector.isFinished)
        #expect(journal.filter { $0.fact.kind == .osReady }.map(\.node) == names.sorted())
        #expect(journal.allSatisfy { $0.fact.text(.attack) == nil })
    }

    @Test func aNodeThatCannotBeToldFromTheCoordinatorIsRefused() {
        var injector = Self.injector(["coordinator", "a"])
        Self.begin(&injector, ["coordinator", "a"])
        #expect(injector.isFinished)
        #expect(injector.takeOutgoing().contains { if case .refused(let why) = $0.frame { why.contains("'coordinator'") } else { false } })
    }

    @Test func everyAttackerHasAnAddressOfItsOwn() {
        var arena = Self.arena
        // Where the fleet itself has grown to.
        arena.fabric.attach(Self.node("far", 0xFFFD))
        let addresses = (0..<1000).compactMap { arena.attach("bot-\($0)", near: "a")?.address }
        #expect(Set(addresses).count == 1000)
        #expect(arena.fabric.spec(of: "a")?.address == Self.node("a", 10).address)
        #expect(!addresses.contains(Self.node("a", 10).address) && !addresses.contains(Self.node("far", 0xFFFD).address))
    }

    @Test func anAttackTakesNoNameAwayAndNoNodeThatIsNotItsOwn() {
        var arena = Self.arena
        arena.fabric.attach(Self.node("a-clone", 11))
        #expect(arena.attach("a-clone", near: "a") == nil)
        arena.order(ProcessOrder(.kill, node: "a-clone", generation: 0))
        arena.detach("a-clone")
        #expect(arena.takeOrders().isEmpty)
        #expect(arena.fabric.spec(of: "a-clone")?.address == Self.node("a-clone", 11).address)
    }

    private static var arena: Arena {
        var fabric = Fabric(networks: [NetworkSpec(name: "home", latencyNanoseconds: 1_000_000)], links: [], seed: 1)
        fabric.attach(node("a", 10))
        return Arena(fabric: fabric, names: CatalogNames(catalog: "c"), epochSeconds: 0, loot: Loot())
    }
}
