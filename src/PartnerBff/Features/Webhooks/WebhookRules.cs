using Bff.Requests;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Addresses;

namespace PartnerBff.Features.Webhooks;

/// <summary>Validates endpoints and determines their owner.</summary>
internal static class WebhookRules
{
    public const int MaxEndpoints = 50;
    private const int MaxDescription = 500;

    /// <exception cref="ProblemException">403: a credential without a tenant owns nothing.</exception>
    public static string Owner(Caller caller) =>
        string.IsNullOrEmpty(caller.Tenant) ? throw new ProblemException(new Problem(ProblemCodes.Forbidden)) : WebhookOwner.Of(caller);

    /// <summary>Returns the problem, or null if all is valid; a member that is null is not checked.</summary>
    public static Problem? Objection(WebhookUrl urls, string? url, IReadOnlyList<string>? types, string? description)
    {
        var errors = new Dictionary<string, string[]>();
        if (url is not null && urls.Objection(url) is { } objection)
        {
            errors["url"] = [objection];
        }

        if (types is not null && (types.Count == 0 || !EventTypes.AreFilters([.. types])))
        {
            errors["types"] = [$"Must be 1 to {EventTypes.MaxFilters} names such as order.shipped, order.* or *."];
        }

        if (description is not null && !TextLength.IsAtMost(description, MaxDescription))
        {
            errors["description"] = [$"Must be at most {MaxDescription} characters."];
        }

        return errors.Count == 0 ? null : new Problem(ProblemCodes.ValidationFailed) { Errors = errors };
    }
}
