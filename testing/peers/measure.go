//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/testing/peers/contestant"
	"quickdumpnow.com/smsrelay/testing/peers/job"
	"quickdumpnow.com/smsrelay/testing/peers/lambda"
	"quickdumpnow.com/smsrelay/testing/peers/report"
)

// plan is how much is measured.
type plan struct {
	// starts is how often each is started, rounds how often the calls of a warm process are measured, and calls how many those are.
	starts, rounds, calls int
}

// measure checks all contestants, and then measures them, function by function.
func (p plan) measure(ctx context.Context, stage *job.Stage, all []contestant.Contestant) ([]report.Function, error) {
	made := make([]job.Made, len(all))
	for i, c := range all {
		if !c.Works { // It is given the first one's events.
			made[i] = made[0]
			continue
		}
		var err error
		if made[i], err = stage.Check(ctx, c.Programs); err != nil {
			return nil, fmt.Errorf("%s does not do the work: %w", c.Name, err)
		}
	}
	var functions []report.Function
	for _, function := range job.Functions() {
		fmt.Fprintln(os.Stderr, "measuring", function)
		f := report.Function{Name: function}
		for _, c := range all {
			f.Samples = append(f.Samples, report.Samples{Contestant: c.Name, Size: c.Sizes[function]})
		}
		err := p.inTurn(p.starts, len(all), func(i int) error {
			cold, err := cold(ctx, stage, all[i].Programs[function], function, made[i])
			f.Samples[i].Cold = append(f.Samples[i].Cold, cold)
			return named(all[i].Name, err)
		})
		if err != nil {
			return nil, err
		}
		err = p.inTurn(p.rounds, len(all), func(i int) error {
			warm, err := p.warm(ctx, stage, all[i].Programs[function], function, made[i])
			f.Samples[i].Warm = append(f.Samples[i].Warm, warm)
			return named(all[i].Name, err)
		})
		if err != nil {
			return nil, err
		}
		functions = append(functions, f)
	}
	return functions, nil
}

func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// inTurn measures each of n in each round. Every other round goes backwards, so that nobody always comes after the same.
func (plan) inTurn(rounds, n int, one func(i int) error) error {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for range rounds {
		for _, i := range order {
			if err := one(i); err != nil {
				return err
			}
		}
		slices.Reverse(order)
	}
	return nil
}

// cold measures a process from its start to its first answer.
func cold(ctx context.Context, stage *job.Stage, program lambda.Program, function string, made job.Made) (report.Cold, error) {
	event, err := stage.Event(function, made)
	if err != nil {
		return report.Cold{}, err
	}
	stage.Calls()
	process, err := lambda.Start(ctx, program)
	if err != nil {
		return report.Cold{}, err
	}
	defer process.Close()
	_, usage, err := process.Invoke(event)
	return report.Cold{Time: usage.Time, CPU: usage.CPU, Peak: usage.Peak, Calls: stage.Calls()}, err
}

// warm measures the CPU of one call, the mean of many.
func (p plan) warm(ctx context.Context, stage *job.Stage, program lambda.Program, function string, made job.Made) (time.Duration, error) {
	process, err := lambda.Start(ctx, program)
	if err != nil {
		return 0, err
	}
	defer process.Close()
	before, err := invoke(stage, process, function, made, p.calls/4+1)
	if err != nil {
		return 0, err
	}
	after, err := invoke(stage, process, function, made, p.calls)
	stage.Calls()
	return (after - before) / time.Duration(p.calls), err
}

// invoke makes some calls, and returns the CPU that the process has taken since its start.
func invoke(stage *job.Stage, process *lambda.Process, function string, made job.Made, calls int) (cpu time.Duration, err error) {
	for range calls {
		event, err := stage.Event(function, made)
		if err != nil {
			return 0, err
		}
		_, usage, err := process.Invoke(event)
		if err != nil {
			return 0, err
		}
		cpu = usage.CPU
	}
	return cpu, nil
}
