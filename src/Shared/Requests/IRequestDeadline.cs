namespace Bff.Requests;

/// <summary>The deadline for all calls that one request makes to services: <c>Composition:Deadline</c>.</summary>
internal interface IRequestDeadline
{
    /// <summary>The current value.</summary>
    TimeSpan Current { get; }
}
