package clean

import (
	"fmt"
	"time"
)

// What becomes of addresses.
const (
	IPFull      = "full"
	IPTruncated = "truncated"
	IPNone      = "none"
)

// Config says what is done to every event. What depends on the customer's data is in the
// rules file.
type Config struct {
	// Rules is a YAML file with mappings by source, and the fields that hold dates, money,
	// categories and units (docs/cleaning.md); "" maps and normalises nothing.
	Rules string `yaml:"rules"`
	// Device adds context.device (type, os, browser and their versions) from the user agent and client hints.
	Device bool `yaml:"device"`
	// DeviceCache is how many user agents are remembered with what they mean.
	DeviceCache int `yaml:"device_cache"`
	// Geo is an MMDB file of cities or countries that adds context.geo; "" adds none. Kindred brings none along.
	Geo string `yaml:"geo"`
	// IP is what context.ip keeps of an address: full, truncated (its /24, or /48 of IPv6) or none.
	IP string `yaml:"ip"`
	// Bot says how programs are told from people, and what becomes of their events.
	Bot BotConfig `yaml:"bot"`
	// Refresh is how often the files are looked at for changes.
	Refresh time.Duration `yaml:"refresh"`
}

// BotConfig says how programs are told from people.
type BotConfig struct {
	// Enabled gives every event that looks like a program's a score and reasons in bot.
	Enabled bool `yaml:"enabled"`
	// UserAgents is a file with regular expressions of user agents of programs, one a line, behind
	// those that Kindred brings along; a line that begins with ! names what is no program's. "" adds none.
	UserAgents string `yaml:"user_agents"`
	// Networks is a file with address ranges of data centres in CIDR notation, one a line; "" knows none.
	Networks string `yaml:"networks"`
	// QuarantineAt is the score from which events go to the dead letters, above 0 to 1; 0 quarantines none.
	QuarantineAt float64 `yaml:"quarantine_at"`
	// DropAt is the score from which events are dropped and counted, above 0 to 1; 0 drops none.
	DropAt float64 `yaml:"drop_at"`
	// PersonRate is how many events in 10 s of one person's browser are still human; 0 does not count.
	PersonRate int `yaml:"person_rate"`
	// AddressRate is the same for one address, behind which a whole office may be; 0 does not count.
	AddressRate int `yaml:"address_rate"`
}

// Default finds devices and flags bots, and keeps shortened addresses.
func Default() Config {
	return Config{
		Device: true, DeviceCache: 65_536, IP: IPTruncated, Refresh: 10 * time.Second,
		Bot: BotConfig{Enabled: true, PersonRate: 100, AddressRate: 2000},
	}
}

// Active reports whether anything is done to events at all.
func (c Config) Active() bool {
	return c.Rules != "" || c.Device || c.Geo != "" || c.IP != IPFull || c.Bot.Enabled
}

// Validate reports the first field that makes no sense, and what would. Files are read by New.
func (c Config) Validate() error {
	switch {
	case c.DeviceCache < 64 || c.DeviceCache > 1<<22:
		return fmt.Errorf("clean: device_cache is %d; use 64 to %d", c.DeviceCache, 1<<22)
	case c.IP != IPFull && c.IP != IPTruncated && c.IP != IPNone:
		return fmt.Errorf("clean: ip is %q; use full, truncated or none", c.IP)
	case c.Refresh < time.Second || c.Refresh > 24*time.Hour:
		return fmt.Errorf("clean: refresh is %v; use 1s to 24h", c.Refresh)
	case !(c.Bot.QuarantineAt >= 0 && c.Bot.QuarantineAt <= 1):
		return fmt.Errorf("clean: bot.quarantine_at is %v; use 0 (never) to 1", c.Bot.QuarantineAt)
	case !(c.Bot.DropAt >= 0 && c.Bot.DropAt <= 1):
		return fmt.Errorf("clean: bot.drop_at is %v; use 0 (never) to 1", c.Bot.DropAt)
	case c.Bot.DropAt > 0 && c.Bot.QuarantineAt > c.Bot.DropAt:
		return fmt.Errorf("clean: bot.quarantine_at is %v, above bot.drop_at %v, so that nothing would be quarantined; use a smaller one", c.Bot.QuarantineAt, c.Bot.DropAt)
	case c.Bot.PersonRate < 0 || c.Bot.PersonRate > 1_000_000:
		return fmt.Errorf("clean: bot.person_rate is %d; use 0 (never) to 1000000", c.Bot.PersonRate)
	case c.Bot.AddressRate < 0 || c.Bot.AddressRate > 1_000_000:
		return fmt.Errorf("clean: bot.address_rate is %d; use 0 (never) to 1000000", c.Bot.AddressRate)
	}
	return nil
}
