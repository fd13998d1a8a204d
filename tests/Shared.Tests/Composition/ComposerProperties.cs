using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using Bff.Configuration;
using Bff.Edge;
using Bff.Upstreams;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bff.Shared.Tests.Composition;

/// <summary>Whatever parts an endpoint has and however their services behave, the rules of a composition hold.</summary>
public sealed class ComposerProperties
{
    private static readonly JsonTypeInfo<string> Text = (JsonTypeInfo<string>)JsonSerializerOptions.Default.GetTypeInfo(typeof(string));

    private enum Behaviour { Answers, AnswersLate, IsNotFound, IsRejected, Fails, TimesOut, IsUnavailable, Throws, Hangs }

    private sealed record PartPlan(bool IsRequired, Behaviour Behaviour, int After, bool IsWanted);

    [Fact]
    public void Any_mix_of_parts_and_failures_obeys_the_rules()
    {
        var plan =
            from required in Gen.Frequency((1, Gen.Constant(true)), (2, Gen.Constant(false)))
            from behaviour in Gen.Elements(Enum.GetValues<Behaviour>())
            from after in Gen.Choose(-6, 9)
            from wanted in Gen.Frequency((5, Gen.Constant(true)), (1, Gen.Constant(false)))
            select new PartPlan(required, behaviour, after, wanted || required);
        var plans = from count in Gen.Choose(1, Composer.MaxParts) from parts in Gen.ListOf(plan, count) select parts.ToArray();

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(150), Prop.ForAll(plans.ToArbitrary(), parts => Holds(parts).GetAwaiter().GetResult()));
    }

    private static async Task<bool> Holds(PartPlan[] plans)
    {
        using var composer = await NewComposer();
        var started = new bool[plans.Length];
        var parts = new List<Part<string>>();
        var independent = Enumerable.Range(0, plans.Length).Where(i => !IsDependent(i, plans) && plans[i].IsWanted).ToArray();
        for (var i = 0; i < plans.Length; i++)
        {
            var (plan, index) = (plans[i], i);
            ValueTask<UpstreamAnswer<string>> Fetch(CallContext call)
            {
                started[index] = true;
                return Behave(plan.Behaviour, call.Cancellation);
            }

            var part = plan.IsRequired ? composer.Required($"p{i}", Fetch) : composer.Optional($"p{i}", Fetch);
            parts.Add(IsDependent(i, plans) ? part.After(parts[plan.After], () => plan.IsWanted) : part.OnlyIf(plan.IsWanted));
        }

        var composed = await composer.Compose(() => "answer", Text);
        var problem = Problem(composed);

        // Independent parts always start, whatever becomes of the others.
        var ok = independent.All(i => started[i]);
        for (var i = 0; i < plans.Length; i++)
        {
            var (plan, part) = (plans[i], parts[i]);
            var reachable = !IsDependent(i, plans) || parts[plan.After].HasValue;
            ok &= reachable && plan.IsWanted || part.Status == PartStatus.Skipped; // Not wanted, or nothing to depend on: not asked.
            ok &= part.Status == PartStatus.Skipped || part.HasValue == (part.Status == PartStatus.Live && plan.Behaviour is Behaviour.Answers or Behaviour.AnswersLate && part.Answer.IsOk);
            if (problem is null && part.Status != PartStatus.Skipped)
            {
                ok &= part.Status == Expected(plan.Behaviour);
                ok &= !plan.IsRequired || part.HasValue;
            }
        }

        // A required part without a value is the request's failure, with that part's code; nothing else is.
        var failed = Enumerable.Range(0, plans.Length).Where(i => plans[i].IsRequired && parts[i].Status != PartStatus.Skipped && !parts[i].HasValue).ToArray();
        ok &= problem is null == (failed.Length == 0);
        ok &= problem is null || failed.Any(i => Codes(plans[i].Behaviour).Contains(problem.Code));
        return ok;
    }

    private static bool IsDependent(int index, PartPlan[] plans) => plans[index].After >= 0 && plans[index].After < index;

    private static async ValueTask<UpstreamAnswer<string>> Behave(Behaviour behaviour, CancellationToken cancellation)
    {
        switch (behaviour)
        {
            case Behaviour.Answers:
                return UpstreamAnswer<string>.Ok("value");
            case Behaviour.AnswersLate:
                await Task.Yield();
                return UpstreamAnswer<string>.Ok("value");
            case Behaviour.Throws:
                throw new InvalidOperationException("as told");
            case Behaviour.Hangs:
                await Task.Delay(Timeout.Infinite, cancellation);
                throw new InvalidOperationException();
            default:
                return UpstreamAnswer<string>.No(behaviour switch
                {
                    Behaviour.IsNotFound => UpstreamOutcome.NotFound,
                    Behaviour.IsRejected => UpstreamOutcome.Rejected,
                    Behaviour.TimesOut => UpstreamOutcome.Timeout,
                    Behaviour.IsUnavailable => UpstreamOutcome.Unavailable,
                    _ => UpstreamOutcome.Failed,
                });
        }
    }

    private static PartStatus Expected(Behaviour behaviour) => behaviour switch
    {
        Behaviour.Answers or Behaviour.AnswersLate or Behaviour.IsNotFound => PartStatus.Live,
        Behaviour.TimesOut or Behaviour.Hangs => PartStatus.Timeout,
        Behaviour.IsUnavailable => PartStatus.Unavailable,
        _ => PartStatus.Failed,
    };

    private static ProblemCode[] Codes(Behaviour behaviour) => behaviour switch
    {
        Behaviour.IsNotFound => [ProblemCodes.NotFound],
        Behaviour.TimesOut or Behaviour.Hangs => [ProblemCodes.UpstreamTimeout],
        Behaviour.IsUnavailable => [ProblemCodes.UpstreamUnavailable],
        _ => [ProblemCodes.UpstreamFailed],
    };

    private static Problem? Problem(Composed<string> composed) =>
        (Problem?)typeof(Composed<string>).GetField("_problem", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!.GetValue(composed);

    private static async Task<Composer> NewComposer()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Composition:Deadline", "00:00:00.100")]).Build();
        var policies = new Reloadable<CompositionPolicies>(["Composition"], CompositionPolicies.Parse);
        ((IReloadable)policies).Prepare(configuration, new ConfigurationMistakes())!();
        var services = new CompositionServices(TimeProvider.System, null!, policies, new UpstreamRegistry(TimeProvider.System), NullLogger<Composer>.Instance);
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddSingleton(services).BuildServiceProvider() };
        context.Features.Set(new BffRequest { HttpContext = context, RequestId = "r", CorrelationId = "c", StartTimestamp = TimeProvider.System.GetTimestamp() });
        return (await Composer.BindAsync(context))!;
    }
}
