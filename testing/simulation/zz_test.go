package simulation_test
import ("testing";"testing/synctest";"strings")
func TestZZ(t *testing.T) {
	amb, taken, disc, multi := 0,0,0,0
	for seed := uint64(1); seed < 4000; seed++ {
		synctest.Test(t, func(t *testing.T) {
			sc := scenarioOf(seed)
			s := newSchedule(inMemory(sc.route()), sc, fromSeed(seed), true)
			s.run(); synctest.Wait()
			if strings.Contains(s.told.String(), "ambiguous") { amb++ }
			f := 0
			for _, r := range s.current { for _, a := range r.Attempts { if a.Looks > 0 {taken++}; if a.Found { f++ } } }
			disc += f; if f > 1 { multi++ }
		})
	}
	t.Log(amb, taken, disc, multi)
}
