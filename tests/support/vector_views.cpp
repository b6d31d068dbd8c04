// SPDX-License-Identifier: Apache-2.0
#include "support/vector_kinds.hpp"

#include <hadr/adapters.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;

// Preludes may name preludes; whatever a file says, a story has its end.
constexpr std::size_t steps_max = 100;

bool host_like(std::string_view name) {
    return name.size() == 3 && name.starts_with("db") && name[2] >= '1' && name[2] <= '9';
}

std::string read_host(const entry& of) {
    auto made = of.text();
    if (!host_like(made))
        of.wrong(fmt::format("'{}' is no host: db1, db2, ...", made));
    return made;
}

std::size_t read_asked_before(fields& of) {
    const auto pieces = of.take("asked_before");
    return pieces ? static_cast<std::size_t>(pieces->number(steps_max)) : 0;
}

heard read_witness_news(const entry& of) {
    if (of.list())
        return {{}, read_witness_evidence(of)};
    fields all(of);
    if (const auto rows = all.take("rows")) {
        heard made{{}, read_witness_evidence(*rows)};
        made.asked_before = read_asked_before(all);
        all.finish();
        return made;
    }
    return {{}, read_witness_evidence(of)};
}

heard read_member_news(const std::string& host, fields& of) {
    heard made{host, read_member_evidence(host, of)};
    made.asked_before = read_asked_before(of);
    of.finish();
    return made;
}

heard read_report(const entry& of) {
    fields all(of);
    const auto host = read_host(all.need("on"));
    auto made = read_member_news(host, all);
    made.by_session = true;
    return made;
}

remembered read_memory(const entry& of) {
    fields all(of);
    remembered made;
    made.highest.lineage = read_lineage(all.need("lineage"));
    const auto term = all.need("term");
    if (!term.null())
        made.highest.term = term.number(0xFFFF'FFFF);
    if (const auto fork = all.take("fork"))
        made.highest.fork = fork->text();
    made.highest.strength = proof::engine_named;
    if (const auto members = all.take("members"))
        for (const auto& host : members->texts())
            made.members.push_back({host, 5432, {}});
    all.finish();
    return made;
}

spoken read_ruling(const entry& of) {
    fields all(of);
    const auto says = all.need("says").word({"offline", "online", "accept_lineage"});
    spoken made{
        says == "offline"  ? ruled::verdict::offline
        : says == "online" ? ruled::verdict::online
                           : ruled::verdict::accept_lineage,
        read_host(all.need("of"))};
    all.finish();
    return made;
}

pushed read_hint(const entry& of) {
    return {
        {subject::kind::witness, 0},
        {},
        "state",
        fmt::format(R"({{"type": "state", "formation": "{}", "groupId": 0}})", of.text())};
}

happening read_happening(const std::string& name, const entry& of) {
    if (name == "witness")
        return read_witness_news(of);
    if (name == "session")
        return read_report(of);
    if (name == "operator")
        return read_ruling(of);
    if (name == "remembered")
        return read_memory(of);
    if (name == "hint")
        return read_hint(of);
    if (!host_like(name))
        of.wrong("is neither a host (db1, db2, ...) nor anything else that can happen");
    fields all(of);
    return read_member_news(name, all);
}

step read_step(const entry& of) {
    step made;
    bool judged = false;
    for (const auto& [name, is] : of.named()) {
        if (judged)
            is.wrong("stands after 'then', which closes a step");
        judged = name == "then";
        if (judged)
            made.then = read_claims(is);
        else
            made.happens.push_back(read_happening(name, is));
    }
    if (made.happens.empty() && made.then.empty())
        of.wrong("says nothing");
    return made;
}

std::vector<step> read_story(const entry& of, const shared_part& with) {
    std::vector<step> made;
    for (const auto& one : of.items()) {
        if (one.object()) {
            made.push_back(read_step(one));
        } else {
            const auto prelude = with.preludes.find(one.text());
            if (prelude == with.preludes.end())
                one.wrong(fmt::format("'{}' is no prelude that stands before", one.text()));
            made.insert(made.end(), prelude->second.begin(), prelude->second.end());
        }
        if (made.size() > steps_max)
            of.wrong(fmt::format("has more than {} steps", steps_max));
    }
    return made;
}

bool hears_a_witness(const step& one) {
    return std::any_of(one.happens.begin(), one.happens.end(), [](const happening& what) {
        const auto* news = std::get_if<heard>(&what);
        return news != nullptr && news->host.empty();
    });
}

/// An adapter and what it is told, a piece each millisecond.
class storyteller {
public:
    explicit storyteller(const ha_adapter& adapter) : adapter_(adapter), known_(adapter.begin()) {}

    std::vector<std::string> tell(const std::vector<step>& story) {
        std::vector<std::string> wrong;
        for (std::size_t i = 0; i < story.size() && wrong.empty(); ++i) {
            for (const auto& one : story[i].happens)
                std::visit([&](const auto& what) { happens(what, wrong); }, one);
            for (auto& line : differences(story[i].then, {adapter_, known_, now_}))
                wrong.push_back(fmt::format("step {}: {}", i + 1, line));
        }
        return wrong;
    }

private:
    std::optional<std::size_t> place_of(const std::string& host) const {
        const auto& all = known_.is.members;
        const auto found = std::find_if(all.begin(), all.end(), [&](const member& one) {
            return one.at.host == host;
        });
        return found == all.end() ? std::nullopt
                                  : std::optional(static_cast<std::size_t>(found - all.begin()));
    }

    // When it was asked, and its number: between two others if that is some pieces ago.
    std::pair<time_point, std::uint64_t> asked(std::size_t before) {
        if (before == 0) {
            asked_.push_back(now_);
            return {now_, 10 * asked_.size()};
        }
        const auto left = asked_.size() - std::min(before, asked_.size());
        return {left == 0 ? now_ - 1h : asked_[left - 1], 10 * left + 5};
    }

    void happens(const heard& what, std::vector<std::string>& wrong) {
        const auto [when, sequence] = asked(what.asked_before);
        if (what.host.empty())
            return apply(answered{{subject::kind::witness, 0}, when, sequence, now_, what.what});
        const auto place = place_of(what.host);
        if (!place)
            return wrong.push_back(fmt::format("{} is no member", what.host));
        if (what.by_session)
            apply(reported{*place, when, sequence, what.what});
        else
            apply(answered{{subject::kind::member, *place}, when, sequence, now_, what.what});
    }

    void happens(const spoken& what, std::vector<std::string>& wrong) {
        const auto place = place_of(what.host);
        if (!place)
            return wrong.push_back(fmt::format("{} is no member", what.host));
        apply(ruled{what.what, *place});
    }

    void happens(const remembered& what, std::vector<std::string>& /*wrong*/) { apply(what); }

    void happens(pushed what, std::vector<std::string>& /*wrong*/) {
        what.seen = now_;
        apply(what);
    }

    void apply(const event_seen& what) {
        known_ = adapter_.apply(known_, what, now_);
        now_ += 1ms;
    }

    const ha_adapter& adapter_;
    belief known_;
    time_point now_{24h};
    std::vector<time_point> asked_;
};

}

store_specification parsed(const entry& at, const std::string& string) {
    auto made = parse(string);
    if (!made)
        at.wrong(made.error().message);
    return *std::move(made);
}

vector_check read_view_vector(fields& of, const shared_part& with) {
    const auto keys = of.take("keys");
    const auto store = parsed(of.all(), with.string + (keys ? keys->text() : ""));
    auto adapter = make_adapter(store);
    if (!adapter)
        of.all().wrong(adapter.error().message);
    const auto told_here = of.need("story");
    auto story = read_story(told_here, with);
    if (story.empty() || story.back().then.empty())
        told_here.wrong("has no 'then' at its end");
    if (!store.witness && std::any_of(story.begin(), story.end(), hears_a_witness))
        told_here.wrong("hears of a witness, and the store has no witness");
    return [adapter = *adapter, story = std::move(story)] {
        return storyteller(*adapter).tell(story);
    };
}

void read_preludes(const entry& of, shared_part& into) {
    for (const auto& [name, told_here] : of.named())
        into.preludes.emplace(name, read_story(told_here, into));
}

}
