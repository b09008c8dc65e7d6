// What the parts of an account add up to, kept in few bytes while they come one after the other.
#include "pulse_sums.hpp"

namespace health::pulse {

namespace {

void add_to(std::int64_t& sum, Exact more) { sum = narrow(sum + more); }

}  // namespace

void reject_list() {
  throw Error(sqlstate::data_corrupted, "the bytes are no state of pulse_agg",
              "Call the aggregate pulse_agg instead of its support functions.");
}

void reject_range() {
  throw Error(sqlstate::numeric_value_out_of_range, "the number of events is out of range");
}

void Sums::add(const Counts& counts) {
  add_old(counts);
  for (std::size_t week = 0; week < weeks.size(); ++week) add_to(weeks[week], counts.week(week));
}

void Sums::add_old(const Counts& counts) {
  add_to(old_events, counts.old_events());
  add_to(old_joined, counts.old_joined);
}

void Sums::add(const Sums& other) {
  add_to(old_events, other.old_events);
  add_to(old_joined, other.old_joined);
  for (std::size_t week = 0; week < weeks.size(); ++week) add_to(weeks[week], other.weeks[week]);
}

Pulse Sums::conclude(bool has_history) const {
  if (least < 0) reject_negative(nullptr);
  std::array<Exact, weeks_seen> exact;
  std::copy(weeks.begin(), weeks.end(), exact.begin());
  return pulse::conclude({active_users, most}, exact, has_history);
}

void ListWriter::grow(std::size_t room) {
  const auto used = static_cast<std::size_t>(at_ - memory_.data());
  memory_.resize(2 * memory_.size() + room);
  at_ = memory_.data() + used;
  end_ = memory_.data() + memory_.size();
}

void ListWriter::put_name(std::string_view name) {
  make_room(name.size() + 3 * max_varint_bytes);
  std::size_t shared = 0;
  if (kind_ == UserKind::text) {
    const auto differs =
        std::mismatch(name.begin(), name.end(), previous_text_.begin(), previous_text_.end());
    shared = static_cast<std::size_t>(differs.first - name.begin());
    at_ = put_varint(at_, shared);
    at_ = put_varint(at_, name.size() - shared);
    previous_text_ = name;
  }
  at_ = std::copy(name.begin() + static_cast<std::ptrdiff_t>(shared), name.end(), at_);
}

bool merge_part(Part& part, UserKind kind, ListReader& list, ListWriter& writer, Counts& counts) {
  bool has_users = false;
  part.count_users(counts, true, [&](Exact recent) {
    if (recent == 0) return;
    has_users = true;
    if (list.has_user()) recent += merge_until(list, kind, part.user(), writer);
    writer.add(part.user(), recent);
  });
  return has_users;
}

}  // namespace health::pulse
