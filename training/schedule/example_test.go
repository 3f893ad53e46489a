package schedule_test

import (
	"fmt"

	"kindred/training/schedule"
)

func ExampleConfig_Validate() {
	c := schedule.Default()
	c.Cron = "every night"
	fmt.Println(c.Validate())
	// Output:
	// schedule: cron "every night": expected exactly 5 fields, found 2: [every night]; use five fields such as "0 4 * * *", or "@daily"
}
