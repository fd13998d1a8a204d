namespace Bff.Requests;

/// <summary>The bound on everything that one request asks of services: <c>Composition:Deadline</c>.</summary>
internal interface IRequestDeadline
{
    /// <summary>The value in force.</summary>
    TimeSpan Current { get; }
}
