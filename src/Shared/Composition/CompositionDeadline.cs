using Bff.Configuration;
using Bff.Requests;

namespace Bff.Composition;

/// <summary>Tells stages before this one how long a composition may take.</summary>
internal sealed class CompositionDeadline(Reloadable<CompositionPolicies> policies) : IRequestDeadline
{
    public TimeSpan Current => policies.Current.Deadline;
}
