using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Bff.Caching;
using Bff.Composition;
using Bff.Requests;
using Bff.Shared.Tests.Caching;
using Bff.TestKit;
using Bff.Upstreams;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using static Bff.Composition.Durations;

namespace Bff.Shared.Tests.Composition.Progressive;

/// <summary>
/// Checks that the lines of an answer merge to the document that would have been sent at once, for any parts in any order and with any
/// failures.
/// </summary>
public sealed class ProgressiveProperties : IAsyncLifetime
{
    private static readonly JsonTypeInfo<string> Text = ComposerBench.Text;

    private static readonly JsonTypeInfo<JsonObject> Shape = ComposerBench.TypeOf<JsonObject>();

    private ComposerBench _bench = null!;
    private int _run;

    /// <summary>The ways in which an endpoint shows a part.</summary>
    private enum Form
    {
        ValueOrNull,
        LeftOut,
        Object,
        ObjectOrLeftOut,
        NestedWithNull,
        InList,
        NullWhenUnknown,
        AmongOthers,
    }

    private enum Ending
    {
        Answers,
        AnswersNothing,
        IsReplaced,
        Fails,
        TimesOut,
        IsUnavailable,
        Throws,
    }

    /// <param name="After">Index of the part that this part depends on. Only an index from 0 to below the part's own is valid.</param>
    /// <param name="Place">Position in the order in which the parts complete. Smaller positions complete first.</param>
    private sealed record PartPlan(
        bool IsRequired,
        Form Form,
        Ending Ending,
        int After,
        int Place,
        bool IsWanted,
        bool IsKept,
        bool HasStandIn
    );

    private sealed record Plan(PartPlan[] Parts, bool WaitsForAll, bool HasMeta);

    public async Task InitializeAsync() => _bench = await ComposerBench.Start();

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public void The_lines_of_any_answer_merge_to_the_answer_that_is_sent_at_once()
    {
        var part =
            from required in Gen.Choose(0, 3)
            from form in Gen.Elements(Enum.GetValues<Form>())
            from ending in Gen.Frequency((4, Gen.Constant(Ending.Answers)), (3, Gen.Elements(Enum.GetValues<Ending>())))
            from after in Gen.Choose(-4, 8)
            from place in Gen.Choose(0, 5)
            from wanted in Gen.Choose(0, 5)
            from kept in Gen.Choose(0, 2)
            from standIn in Gen.Choose(0, 3)
            select new PartPlan(required == 0, form, ending, after, place, wanted > 0, kept == 0, standIn == 0);
        var plans =
            from count in Gen.Choose(1, Composer.MaxParts)
            from parts in Gen.ListOf(part, count)
            from waitsForAll in Gen.Choose(0, 9)
            from meta in Gen.Choose(0, 9)
            select new Plan([.. parts], waitsForAll == 0, meta > 0);

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll(plans.ToArbitrary(), plan => LinesMergeToTheWhole(plan).GetAwaiter().GetResult())
        );
    }

    private async Task<bool> LinesMergeToTheWhole(Plan plan)
    {
        var (whole, _) = await Serve(plan, isProgressive: false);
        var (lines, held) = await Serve(plan, isProgressive: true);
        if (whole.Problem is not null || lines.Problem is not null)
        {
            // Several required parts may fail, and either may fail first.
            return whole.Problem is not null && lines.Problem is not null && whole.Body == lines.Body;
        }

        var final = JsonNode.Parse(whole.Body)!.AsObject();
        var documents = lines.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!.AsObject()).ToList();
        var ok = lines.Body.EndsWith('\n') && (!plan.WaitsForAll || documents.Count == 1) && (plan.HasMeta || documents.Count == 1);
        var answer = documents[0].DeepClone().AsObject();
        List<string>? pendingBefore = null;
        for (var i = 0; i < documents.Count; i++)
        {
            answer = i == 0 ? answer : AnswerInLines.Merge(answer, documents[i])!.AsObject();
            foreach (var pointer in Strings(answer["_meta"]?["nulls"]))
            {
                AnswerInLines.SetNull(answer, pointer);
            }

            var pending = Strings(answer["_meta"]?["pending"]);
            ok &= pendingBefore is null || (pending.Count < pendingBefore.Count && pending.All(pendingBefore.Contains));
            ok &= (pending.Count == 0) == (i == documents.Count - 1);
            ok &= !pending.Any(p => plan.Parts[Index(p)].IsRequired); // A line needs all required parts.
            ok &= Enumerable
                .Range(0, plan.Parts.Length)
                .Where(p => plan.Parts[p].Form != Form.AmongOthers && !pending.Contains($"p{p}"))
                .All(p =>
                    answer.ContainsKey($"p{p}") == final.ContainsKey($"p{p}") && JsonNode.DeepEquals(answer[$"p{p}"], final[$"p{p}"])
                );
            pendingBefore = pending;
        }

        ok &= AnswerInLines.Essence(answer) == AnswerInLines.Essence(final);
        ok &= !held || documents.Count > 1 || !plan.HasMeta; // A part that was held back arrived in a later line.
        return ok;
    }

    /// <summary>Composes an answer and lets its parts complete one after the other.</summary>
    /// <returns>The client's answer, and whether a part completed after the first line.</returns>
    private async Task<((Problem? Problem, string Body) Answer, bool Held)> Serve(Plan plan, bool isProgressive)
    {
        _run++;
        var context = NewContext(plan, isProgressive);
        using var composer = (await Composer.BindAsync(context))!;
        var gates = plan.Parts.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToList();
        var parts = new List<Part<string>>();
        for (var i = 0; i < plan.Parts.Length; i++)
        {
            parts.Add(Declare(composer, plan.Parts, parts, i, gates[i].Task));
        }

        JsonObject Answer()
        {
            var answer = new JsonObject(plan.Parts.SelectMany((p, i) => Members(i, p.Form, parts[i])));
            answer["together"] = new JsonArray([
                .. parts.Where((_, i) => plan.Parts[i].Form == Form.AmongOthers).Select(p => (JsonNode?)p.Value),
            ]);
            return answer;
        }

        var composing = composer.Compose(Answer, Shape);
        var serving = Send(composing, context);
        var order = Enumerable.Range(0, gates.Count).OrderBy(i => plan.Parts[i].Place).ToList();
        var isHeld = false;
        foreach (var at in order)
        {
            if (isProgressive && !plan.WaitsForAll && parts.TrueForAll(p => !p.IsRequired || p.Start().IsCompleted))
            {
                // The answer starts although this optional part has not completed.
                await composing.WaitAsync(TimeSpan.FromSeconds(60));
                isHeld |= !serving.IsCompleted && !parts[at].Start().IsCompleted;
            }

            gates[at].SetResult();
            await Task.WhenAll(parts.Where((_, i) => IsFree(i)).Select(p => p.Start())).WaitAsync(TimeSpan.FromSeconds(60));
        }

        return ((await serving.WaitAsync(TimeSpan.FromSeconds(60)), Body(context)), isHeld);

        bool IsFree(int i) => gates[i].Task.IsCompleted && (Needed(plan.Parts, i) is not { } needed || IsFree(needed));
    }

    /// <summary>Returns the index of the part that this part depends on, or null.</summary>
    private static int? Needed(PartPlan[] plans, int i) => plans[i].After >= 0 && plans[i].After < i ? plans[i].After : null;

    private static async Task<Problem?> Send(Task<Composed<JsonObject>> composing, HttpContext context)
    {
        var answer = await composing;
        if (Problem(answer) is { } problem)
        {
            return problem;
        }

        await answer.ExecuteAsync(context);
        return null;
    }

    private ReadPart<string> Declare(Composer composer, PartPlan[] plans, List<Part<string>> parts, int i, Task gate)
    {
        var plan = plans[i];
        var call = new HandMadeCall<string>(cancelled => End(plan.Ending, gate, cancelled.Cancellation), Text, _bench.Clock);
        var needed = Needed(plans, i) is { } at ? parts[at] : null;
        var part = (needed, plan.IsRequired) switch
        {
            (null, true) => composer.Required($"p{i}", call).OnlyIf(plan.IsWanted),
            (null, false) => composer.Optional($"p{i}", call).OnlyIf(plan.IsWanted),
            (_, true) => composer.Required($"p{i}", call).After(needed, () => plan.IsWanted),
            _ => composer.Optional($"p{i}", call).After(needed, () => needed.Value!.Length > 0 && plan.IsWanted),
        };
        part = plan.IsKept ? part.Cached(CacheScope.Public, $"run-{_run}:{i}", fresh: Seconds(5), stale: Seconds(60)) : part;
        return plan.HasStandIn ? part.Fallback(() => "stand-in") : part;
    }

    private static async ValueTask<UpstreamAnswer<string>> End(Ending ending, Task gate, CancellationToken cancellation)
    {
        await gate.WaitAsync(cancellation);
        return ending switch
        {
            Ending.Answers => UpstreamAnswer<string>.Ok("value"),
            Ending.IsReplaced => UpstreamAnswer<string>.Ok("value") with { FromFallback = true },
            Ending.Throws => throw new InvalidOperationException("as told"),
            Ending.AnswersNothing => UpstreamAnswer<string>.No(UpstreamOutcome.NotFound),
            Ending.TimesOut => UpstreamAnswer<string>.No(UpstreamOutcome.Timeout),
            Ending.IsUnavailable => UpstreamAnswer<string>.No(UpstreamOutcome.Unavailable),
            _ => UpstreamAnswer<string>.No(UpstreamOutcome.Failed),
        };
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Members(int index, Form form, Part<string> part)
    {
        var (name, value, status) = ($"p{index}", part.Value, part.Status);
        JsonNode? WithNull() => value is null ? null : new JsonObject { ["value"] = value, ["none"] = null };
        JsonNode? node = form switch
        {
            Form.Object or Form.ObjectOrLeftOut => WithNull(),
            Form.NestedWithNull => new JsonObject { ["always"] = 1, ["of/it~"] = WithNull() },
            Form.InList => new JsonArray(value, null, WithNull()),
            _ => value,
        };
        if (form == Form.AmongOthers)
        {
            return []; // The member "together" shows these parts.
        }

        var isLeftOut = form switch
        {
            Form.LeftOut or Form.ObjectOrLeftOut => node is null,
            Form.NullWhenUnknown => node is null && status.Succeeded(),
            _ => false,
        };
        return isLeftOut ? [] : [KeyValuePair.Create(name, node)];
    }

    private sealed class Meta : ICompositionMeta
    {
        public void Write(Utf8JsonWriter json, CompositionReport report)
        {
            json.WriteStartObject();
            json.WriteNumber("servicesCalled", report.ServicesCalled);
            json.WriteNumber("servicesSucceeded", report.ServicesSucceeded);
            json.WriteStartObject("sections");
            foreach (var part in report.Parts)
            {
                json.WriteString(part.Name, part.Status.Name());
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private DefaultHttpContext NewContext(Plan plan, bool isProgressive)
    {
        var context = _bench.Request(
            Fragments.Ann,
            "lines",
            [new("Composition:lines:FirstAfter", plan.WaitsForAll ? "00:01:00" : "00:00:00")],
            services =>
            {
                services.AddSingleton(new CompositionOptions());
                if (plan.HasMeta)
                {
                    services.AddSingleton<ICompositionMeta, Meta>();
                }
            }
        );
        context.Request.Method = "GET";
        context.Response.Body = new MemoryStream();
        if (isProgressive)
        {
            context.Request.Headers.Accept = AnswerInLines.MediaType;
        }

        return context;
    }

    private static string Body(HttpContext context) => Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());

    private static int Index(string part) => int.Parse(part.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);

    private static List<string> Strings(JsonNode? names) => names is JsonArray array ? [.. array.Select(n => (string)n!)] : [];

    private static Problem? Problem(Composed<JsonObject> composed) =>
        (Problem?)
            typeof(Composed<JsonObject>)
                .GetField("_problem", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!
                .GetValue(composed);
}
