using Bff.Caching;
using Bff.Requests;
using Bff.TestKit;
using Bff.Upstreams;
using FsCheck;
using FsCheck.Fluent;

namespace Bff.Shared.Tests.Caching;

/// <summary>Checks that a fragment never crosses its scope, for any tenants, subjects and keys and any events between two reads.</summary>
public sealed class FragmentScopeProperties
{
    private static readonly string[] Names =
    [
        "a",
        "b",
        "a:b",
        "b:a",
        ":",
        "a:",
        ":a",
        "a\0b",
        "\0",
        "1",
        "a\u001fb",
        "caller",
        "public",
        "\ud800",
        "\udfff",
    ];

    private sealed record Step(CacheScope Scope, string? Tenant, string? Subject, CallerKind Kind, bool IsSandbox, string Key, int Action);

    [Fact]
    public void A_fragment_never_crosses_its_scope()
    {
        var name = Gen.Elements(Names);
        var optional = Gen.Frequency((1, Gen.Constant<string?>(null)), (6, name.Select(n => (string?)n)));
        var step =
            from scope in Gen.Elements(CacheScope.Public, CacheScope.Tenant, CacheScope.Caller)
            from tenant in optional
            from subject in optional
            from kind in Gen.Elements(CallerKind.Token, CallerKind.Session, CallerKind.ApiKey)
            from sandbox in Gen.Elements(false, false, true)
            from key in name
            from action in Gen.Choose(0, 9)
            select new Step(scope, tenant, subject, kind, sandbox, key, action);
        Prop.ForAll(step.ListOf().ToArbitrary(), steps => Holds(steps).GetAwaiter().GetResult()).QuickCheckThrowOnFailure();
    }

    private static async Task<bool> Holds(IEnumerable<Step> steps)
    {
        var clock = new ManualTimeProvider();
        await using var instance = await CacheInstance.Start(null, clock);
        var anonymous = 0;
        foreach (var step in steps)
        {
            var caller = step.Subject is null
                ? Caller.Anonymous
                : new Caller
                {
                    Subject = step.Subject,
                    Tenant = step.Tenant,
                    Kind = step.Kind,
                    IsSandbox = step.IsSandbox,
                };
            var owner = Owner(step.Scope, caller, ref anonymous);
            var request = new FragmentRequest<Item>(
                step.Key,
                step.Scope,
                caller,
                TimeSpan.FromSeconds(5),
                TimeSpan.FromSeconds(60),
                [step.Key],
                ItemJson.Default.Item
            );
            switch (step.Action)
            {
                case 0:
                    await instance.Invalidator.Invalidate([step.Key], default);
                    break;
                case 1:
                    clock.Advance(TimeSpan.FromSeconds(3));
                    break;
                default:
                    var read = await instance.Cache.Get(request, _ => new(UpstreamAnswer<Item>.Ok(new(step.Key, owner))), default);
                    if (read.Answer.Value is not { } item || item.Owner != owner || item.Text != step.Key)
                    {
                        return false;
                    }

                    break;
            }
        }

        return true;
    }

    /// <summary>
    /// Returns the owner of the data by the specification: public, the tenant, or tenant and subject. Lengths make it unambiguous.
    /// </summary>
    private static string Owner(CacheScope scope, Caller caller, ref int anonymous) =>
        (scope, caller) switch
        {
            (CacheScope.Public, _) => $"public {caller.IsSandbox}",
            (CacheScope.Tenant, { Tenant: { } tenant }) => $"tenant {caller.IsSandbox} {tenant.Length} {tenant}",
            (_, { IsAuthenticated: false }) => $"nobody {++anonymous}",
            _ =>
                $"caller {caller.IsSandbox} {caller.Kind == CallerKind.ApiKey} {caller.Tenant?.Length ?? -1} {caller.Tenant} {caller.Subject}",
        };
}
