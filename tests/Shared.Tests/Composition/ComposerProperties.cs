using System.Text.Json.Serialization.Metadata;
using Bff.Caching;
using Bff.Composition;
using Bff.Requests;
using Bff.Shared.Tests.Caching;
using Bff.TestKit;
using Bff.Upstreams;
using FsCheck;
using FsCheck.Fluent;
using static Bff.Composition.Durations;

namespace Bff.Shared.Tests.Composition;

/// <summary>Checks the rules of a composition for any mix of parts, cached values and upstream behaviour.</summary>
public sealed class ComposerProperties : IAsyncLifetime
{
    private static readonly JsonTypeInfo<string> Text = ComposerBench.Text;

    private static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(100);
    private ComposerBench _bench = null!;
    private int _run;

    private static Caller Ann => Fragments.Ann;

    private enum Behaviour
    {
        Answers,
        AnswersLate,
        IsReplaced,
        IsNotFound,
        IsRejected,
        Fails,
        TimesOut,
        IsUnavailable,
        Throws,
        Hangs,
    }

    /// <summary>The cache's state when the request arrives. A plan without a state has a part that is not cached.</summary>
    private enum Kept
    {
        Nothing,
        Fresh,
        Stale,
        TooOld,
        Invalidated,
        AnotherCallers,
    }

    private sealed record PartPlan(
        bool IsRequired,
        Behaviour Behaviour,
        int After,
        bool IsWanted,
        Kept? Kept,
        bool HasStandIn,
        bool IsOn,
        bool TakesValue
    )
    {
        /// <summary>
        /// Whether the deadline has passed before the part's dependency has a value, so that the cache starts no call for the part.
        /// </summary>
        public bool IsTooLate { get; init; }

        /// <summary>Whether the part gets its value from the cache without a call.</summary>
        public bool IsServedFromCache => IsOn && Kept == ComposerProperties.Kept.Fresh;

        /// <summary>Whether the cache has a stale value that can replace a failed answer.</summary>
        public bool HasStale => IsOn && Kept == ComposerProperties.Kept.Stale;
    }

    public async Task InitializeAsync() => _bench = await ComposerBench.Start();

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public void Any_mix_of_parts_policies_and_failures_obeys_the_rules()
    {
        var kept = from some in Gen.Elements(Enum.GetValues<Kept>()) select (Kept?)some;
        var plan =
            from required in Often(2, otherwise: 1)
            from behaviour in Gen.Elements(Enum.GetValues<Behaviour>())
            from after in Gen.Choose(-6, 9)
            from wanted in Often(5, otherwise: 1)
            from cached in Gen.Frequency((1, Gen.Constant<Kept?>(null)), (2, kept))
            from standIn in Often(1, otherwise: 2)
            from isOn in Often(6, otherwise: 1)
            from takesValue in Often(1, otherwise: 1) // Takes the value of the part that it depends on.
            select new PartPlan(!required, behaviour, after, wanted || !required, cached, standIn, isOn, takesValue);
        var plans = from count in Gen.Choose(1, Composer.MaxParts) from parts in Gen.ListOf(plan, count) select parts.ToArray();

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(400),
            Prop.ForAll(plans.ToArbitrary(), parts => ObeysTheRules(parts).GetAwaiter().GetResult())
        );

        static Gen<bool> Often(int times, int otherwise) => Gen.Frequency((times, Gen.Constant(true)), (otherwise, Gen.Constant(false)));
    }

    private async Task<bool> ObeysTheRules(PartPlan[] plans)
    {
        _run++;
        plans = WithoutTimeLeft(plans);
        await Fill(plans);
        using var composer = await NewComposer(plans);
        var asked = new bool[plans.Length];
        var parts = new List<Part<string>>();
        for (var i = 0; i < plans.Length; i++)
        {
            var (plan, index) = (plans[i], i);
            ValueTask<UpstreamAnswer<string>> Fetch(CallContext call)
            {
                Volatile.Write(ref asked[index], true);
                return Behave(plan.Behaviour, call.Cancellation);
            }

            var call = new HandMadeCall<string>(Fetch, Text, _bench.Clock);
            var part = (IsDependent(i, plans) && plan.TakesValue, plan.IsRequired) switch
            {
                (true, true) => composer
                    .Required($"p{i}", parts[plan.After], value => value.Length > 0 ? call : throw new InvalidOperationException(value))
                    .After(parts[plan.After], () => plan.IsWanted),
                (true, false) => composer.Optional($"p{i}", parts[plan.After], value => value.Length > 0 && plan.IsWanted ? call : null),
                (false, true) => composer.Required($"p{i}", call),
                (false, false) => composer.Optional($"p{i}", call),
            };
            part = plan.Kept is null ? part : part.Cached(CacheScope.Caller, Key(i), fresh: Seconds(5), stale: Seconds(60));
            part = plan.HasStandIn ? part.Fallback(() => "stand-in") : part;
            parts.Add(
                !IsDependent(i, plans) ? part.OnlyIf(plan.IsWanted)
                : plan.TakesValue ? part
                : part.After(parts[plan.After], () => plan.IsWanted)
            );
        }

        var composing = composer.Compose(() => "answer", Text);
        await LetHangingPartsTimeOut(plans, parts, asked);
        var problem = Problem(await composing);

        var ok = true;
        for (var i = 0; i < plans.Length; i++)
        {
            var (plan, part) = (plans[i], parts[i]);
            var missing = Missing(i);
            var isDue = plan.IsWanted && missing is null;
            var shares = missing is { Status: not (PartStatus.Skipped or PartStatus.Live) }; // The part shares its dependency's failure.
            // An unwanted part, or one without its dependency's value, is skipped.
            ok &= (isDue || shares) == (part.Status != PartStatus.Skipped);
            // A part that is switched off or fresh in the cache is not fetched.
            ok &= isDue && plan.IsOn && (plan.Kept != Kept.Fresh) || !asked[i];
            // Every other due part is fetched.
            ok &= !isDue || !plan.IsOn || plan.IsServedFromCache || asked[i] || plan.IsTooLate || problem is not null;
            // An independent part is fetched whatever happens to the others.
            ok &= IsDependent(i, plans) || !plan.IsWanted || !plan.IsOn || plan.Kept is not null || asked[i];
            // No part shows another caller's, an invalidated or an expired value.
            ok &= part.Value is null or "value" or "kept" or "stand-in";
            ok &= !plan.IsServedFromCache || !isDue || (part.Status, part.Value) == (PartStatus.Cached, "kept") || problem is not null;
            ok &= problem is not null || (!isDue && !shares) || (part.Status, part.Value) == ExpectedOf(i);
        }

        // Only a required part without a value fails the request, with its own error code or that of the part it depends on.
        var failed = Enumerable
            .Range(0, plans.Length)
            .Where(i =>
                plans[i].IsRequired
                && !parts[i].HasValue
                && (parts[i].Status != PartStatus.Skipped || Missing(i) is { Status: not PartStatus.Skipped })
            )
            .ToArray();
        ok &= problem is null == (failed.Length == 0);
        ok &= problem is null || failed.Any(i => CodeOf(i) == problem.Code);

        var report = new CompositionReport(parts, default);
        var due = problem is null
            ? Enumerable.Range(0, plans.Length).Where(i => parts[i].Status != PartStatus.Skipped).Select(ExpectedOf).ToArray()
            : [];
        ok &=
            problem is not null
            || (report.ServicesCalled, report.ServicesSucceeded) == (due.Length, due.Count(d => d.Status <= PartStatus.Fallback));
        ok &= problem is not null || report.IsDegraded == due.Any(d => d.Status is not (PartStatus.Live or PartStatus.Cached));
        return ok;

        Part<string>? Missing(int i) => IsDependent(i, plans) && parts[plans[i].After] is { HasValue: false } missing ? missing : null;

        (PartStatus Status, string? Value) ExpectedOf(int i) =>
            Missing(i) is not { } missing ? Expected(plans[i])
            : plans[i].HasStandIn ? (PartStatus.Fallback, "stand-in")
            : (missing.Status, null);

        ProblemCode CodeOf(int i) => Missing(i) is null ? Code(plans[i]) : CodeOf(plans[i].After);
    }

    private static PartPlan[] WithoutTimeLeft(PartPlan[] plans)
    {
        var (result, isLate) = (plans.ToArray(), Late(plans));
        for (var i = 0; i < plans.Length; i++)
        {
            if (IsBehind(i, plans, isLate) && plans[i] is { IsOn: true, Kept: not null, IsServedFromCache: false })
            {
                result[i] = plans[i] with { Behaviour = Behaviour.TimesOut, IsTooLate = true };
            }
        }

        return result;
    }

    /// <summary>Returns which parts hang, or depend on a part that hangs.</summary>
    private static bool[] Late(PartPlan[] plans)
    {
        var isLate = new bool[plans.Length];
        for (var i = 0; i < plans.Length; i++)
        {
            isLate[i] = IsBehind(i, plans, isLate) || (plans[i] is { Behaviour: Behaviour.Hangs, IsOn: true, IsServedFromCache: false });
        }

        return isLate;
    }

    private static bool IsBehind(int index, PartPlan[] plans, bool[] isLate) => IsDependent(index, plans) && isLate[plans[index].After];

    /// <summary>Moves the clock past the deadline once only hanging parts and their dependents are still running.</summary>
    private async Task LetHangingPartsTimeOut(PartPlan[] plans, List<Part<string>> parts, bool[] asked)
    {
        var isLate = Late(plans);
        await Task.WhenAll(parts.Where((_, i) => !isLate[i]).Select(p => p.Start())).WaitAsync(TimeSpan.FromSeconds(30));
        for (var i = 0; i < plans.Length; i++)
        {
            var (part, index) = (parts[i], i);
            if (isLate[i] && !IsBehind(i, plans, isLate))
            {
                // The part hangs, unless it is not wanted.
                await Eventually.True(() => Volatile.Read(ref asked[index]) || part.Start().IsCompleted);
            }
        }

        _bench.Clock.Advance(Deadline);
    }

    /// <summary>Fills the cache as each plan says, so that the values have the planned age when the request arrives.</summary>
    private async Task Fill(PartPlan[] plans)
    {
        async Task Put(Kept kept, string value, Caller caller)
        {
            foreach (var key in Enumerable.Range(0, plans.Length).Where(i => plans[i].Kept == kept).Select(Key))
            {
                var request = new FragmentRequest<string>(
                    key,
                    CacheScope.Caller,
                    caller,
                    TimeSpan.FromSeconds(5),
                    TimeSpan.FromSeconds(60),
                    [key],
                    Text
                );
                await _bench.Cache.Get(request, _ => new(UpstreamAnswer<string>.Ok(value)), default);
            }
        }

        await Put(Kept.TooOld, "too old", Ann);
        _bench.Clock.Advance(TimeSpan.FromSeconds(60));
        await Put(Kept.Stale, "kept", Ann);
        _bench.Clock.Advance(TimeSpan.FromSeconds(10));
        await Put(Kept.Fresh, "kept", Ann);
        await Put(
            Kept.AnotherCallers,
            "another's",
            new()
            {
                Subject = "bob",
                Tenant = Ann.Tenant,
                Kind = CallerKind.Token,
            }
        );
        await Put(Kept.Invalidated, "invalidated", Ann);
        await _bench.Invalidator.Invalidate(
            [.. Enumerable.Range(0, plans.Length).Where(i => plans[i].Kept == Kept.Invalidated).Select(Key)],
            default
        );
    }

    private string Key(int part) => $"run-{_run}:{part}";

    private static (PartStatus Status, string? Value) Expected(PartPlan plan)
    {
        if (plan.IsServedFromCache)
        {
            return (PartStatus.Cached, "kept");
        }

        var status = !plan.IsOn
            ? PartStatus.Unavailable
            : plan.Behaviour switch
            {
                Behaviour.Answers or Behaviour.AnswersLate or Behaviour.IsNotFound => PartStatus.Live,
                Behaviour.IsReplaced => PartStatus.Fallback,
                Behaviour.TimesOut or Behaviour.Hangs => PartStatus.Timeout,
                Behaviour.IsUnavailable => PartStatus.Unavailable,
                _ => PartStatus.Failed,
            };
        return status switch
        {
            PartStatus.Live => (status, plan.Behaviour == Behaviour.IsNotFound ? null : "value"),
            PartStatus.Fallback => (status, "value"),
            _ when plan.HasStale => (PartStatus.Stale, "kept"),
            _ => plan.HasStandIn && plan.IsOn ? (PartStatus.Fallback, "stand-in") : (status, null),
        };
    }

    private static bool IsDependent(int index, PartPlan[] plans) => plans[index].After >= 0 && plans[index].After < index;

    private static async ValueTask<UpstreamAnswer<string>> Behave(Behaviour behaviour, CancellationToken cancellation)
    {
        switch (behaviour)
        {
            case Behaviour.Answers:
                return UpstreamAnswer<string>.Ok("value");
            case Behaviour.IsReplaced:
                return UpstreamAnswer<string>.Ok("value") with { FromFallback = true };
            case Behaviour.AnswersLate:
                await Task.Yield();
                return UpstreamAnswer<string>.Ok("value");
            case Behaviour.Throws:
                throw new InvalidOperationException("as told");
            case Behaviour.Hangs:
                await Task.Delay(Timeout.Infinite, cancellation);
                throw new InvalidOperationException();
            default:
                return UpstreamAnswer<string>.No(
                    behaviour switch
                    {
                        Behaviour.IsNotFound => UpstreamOutcome.NotFound,
                        Behaviour.IsRejected => UpstreamOutcome.Rejected,
                        Behaviour.TimesOut => UpstreamOutcome.Timeout,
                        Behaviour.IsUnavailable => UpstreamOutcome.Unavailable,
                        _ => UpstreamOutcome.Failed,
                    }
                );
        }
    }

    private static ProblemCode Code(PartPlan plan) =>
        !plan.IsOn
            ? ProblemCodes.UpstreamUnavailable
            : plan.Behaviour switch
            {
                Behaviour.IsNotFound => ProblemCodes.NotFound,
                Behaviour.TimesOut or Behaviour.Hangs => ProblemCodes.UpstreamTimeout,
                Behaviour.IsUnavailable => ProblemCodes.UpstreamUnavailable,
                _ => ProblemCodes.UpstreamFailed,
            };

    private static Problem? Problem(Composed<string> composed) =>
        (Problem?)
            typeof(Composed<string>)
                .GetField("_problem", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!
                .GetValue(composed);

    private Task<Composer> NewComposer(PartPlan[] plans) =>
        _bench.NewComposer(
            Ann,
            [
                new("Composition:Deadline", Deadline.ToString()),
                .. plans.Select((p, i) => KeyValuePair.Create($"Composition:mix:p{i}:Enabled", (string?)p.IsOn.ToString())),
            ]
        );
}
